-- The users that the site shows.
CREATE TABLE users (
    id    BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name  VARCHAR(100) NOT NULL,
    email VARCHAR(200) NOT NULL,
    city  VARCHAR(100) NOT NULL DEFAULT '',
    UNIQUE KEY by_email (email),
    KEY by_name (name, id)
);

-- The program writes the time here every other second: a server that shows it has all that was written until then.
CREATE TABLE pulse (
    id   TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    beat DATETIME(6) NOT NULL
);
INSERT INTO pulse VALUES (1, UTC_TIMESTAMP(6));

-- Which database server answers: its data lie in a folder of its name. A view, because the SQL router sends what asks
-- for a server's own variables to the primary.
CREATE VIEW answering AS
SELECT SUBSTRING_INDEX(SUBSTRING_INDEX(TRIM(TRAILING '/' FROM folder.variable_value), '/', -2), '/', 1) AS server,
       reading.variable_value = 'ON' AS is_replica,
       pulse.beat AS beat
FROM pulse
JOIN information_schema.global_variables AS folder ON folder.variable_name = 'DATADIR'
JOIN information_schema.global_variables AS reading ON reading.variable_name = 'READ_ONLY'
WHERE pulse.id = 1;
