"""The same checklist by three independent client drivers, straight to the primary and through the router: the results must be equal, byte for byte."""

import json

import pytest

import mariadb_cluster
from mariadb_cluster import APP_USER, MariadbCluster
from sql_router_site import router  # noqa: F401
from sql_steps import is_there, run_steps

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")

DRIVERS = ["pymysql", "mysqlnd", "connector-c"]
SCHEMA = "checked"


@pytest.fixture(scope="module")
def cluster():
    made = MariadbCluster(replicas=1)
    made.primary.sql(f"GRANT ALL ON {SCHEMA}.* TO {APP_USER}@'%'; CREATE USER other@'%' IDENTIFIED BY 'another'; GRANT ALL ON {SCHEMA}.* TO other@'%'; GRANT FILE ON *.* TO {APP_USER}@'%'")
    made.wait_caught_up()
    yield made
    made.finish()


def sql(*texts):
    return [{"sql": text} for text in texts]


def prepare(text, *executions, **more):
    return {"prepare": text, "executions": [list(execution) for execution in executions], **more}


TYPES = """CREATE TABLE types (id INT AUTO_INCREMENT PRIMARY KEY, ti TINYINT, tu TINYINT UNSIGNED, si SMALLINT, mi MEDIUMINT, i INT, iu INT UNSIGNED, bi BIGINT, bu BIGINT UNSIGNED,
    f FLOAT, d DOUBLE, de DECIMAL(30,10), bt BIT(17), dt DATE, tm TIME(6), dtm DATETIME(6), ts TIMESTAMP NULL, y YEAR, c CHAR(10), vc VARCHAR(200), bn BINARY(5), vb VARBINARY(50),
    tb TINYBLOB, b BLOB, mb MEDIUMBLOB, t TEXT, lt LONGTEXT, e ENUM('a','b','ü'), s SET('x','y','z'), j JSON, g POINT, l1 CHAR(5) CHARACTER SET latin1, ip INET6, u UUID)"""
VALUES = [
    "INSERT INTO types (ti,tu,si,mi,i,iu,bi,bu,f,d,de,bt,dt,tm,dtm,ts,y,c,vc,bn,vb,tb,b,mb,t,lt,e,s,j,g,l1,ip,u) VALUES (-128,255,-32768,-8388608,-2147483648,4294967295,"
    "-9223372036854775808,18446744073709551615,1.5e10,-2.2250738585072014e-308,-12345678901234567890.0123456789,b'10101010101010101','2024-02-29','-838:59:59.000001',"
    "'9999-12-31 23:59:59.999999','2030-01-01 00:00:01',2155,'abc','Größe 😀',x'00ff00',x'0001020304',x'00',x'ff00ff','mb','text','long','ü','x,z','{\"a\": [1, null]}',"
    "ST_GeomFromText('POINT(1 2)'),'äöü','::1','123e4567-e89b-12d3-a456-426655440000')",
    "INSERT INTO types () VALUES ()",
    "SET sql_mode = ''",
    "INSERT INTO types (dt, dtm, y, vc, d, tm) VALUES ('0000-00-00', '0000-00-00 00:00:00', 0, '', 0, '00:00:00')",
    "INSERT INTO types (ti, vc, dt) VALUES (1000, REPEAT('x', 300), '2023-02-31')",
    "SHOW WARNINGS",
    "SET sql_mode = DEFAULT",
]

CHECKLIST = {
    "all column types as text": [*sql(TYPES, *VALUES, "SELECT * FROM types ORDER BY id", "SELECT @@sql_mode", "SHOW COLUMNS FROM types", "SELECT COUNT(*), SUM(i), AVG(d) FROM types")],
    "all column types as binary": [
        *sql(TYPES, *VALUES), prepare("SELECT * FROM types ORDER BY id", []), prepare("SELECT * FROM types WHERE id = ? OR vc = ?", [1, ""], [2, "Größe 😀"], [3, None]),
        prepare("INSERT INTO types (i, d, vc, b, dt) VALUES (?, ?, ?, ?, ?)", [1, 1.25, "ä", "bin", "2020-01-01"], [None, None, None, None, None], [-5, 1e300, "x" * 190, "",
                                                                                                                                                    "0001-01-01"]),
        prepare("SELECT id, i, d, vc, b, dt FROM types WHERE id > ?", [4]), prepare("SELECT ?, ? + 1, ?", [1, 2, "three"], [None, 5, "x"])],
    "null everywhere": sql("SELECT NULL, NULL + 1, COALESCE(NULL, 'x'), ISNULL(NULL)", "SELECT * FROM (SELECT NULL AS a UNION SELECT 1) q ORDER BY a"),
    "big values": [*sql("CREATE TABLE big (id INT PRIMARY KEY, b LONGBLOB)", "INSERT INTO big VALUES (1, REPEAT('x', 70000)), (2, REPEAT('y', 3000000))",
                        "SELECT id, LENGTH(b), MD5(b) FROM big",
                        "SELECT b FROM big WHERE id = 1", "SELECT MD5(b), b FROM big WHERE id = 2"), prepare("SELECT b FROM big WHERE id = ?", [1], [2]),
                   prepare("INSERT INTO big VALUES (?, ?)", [3, "z" * 200_000]), *sql("SELECT MD5(b) FROM big WHERE id = 3")],
    "many rows": [*sql("CREATE TABLE many (n INT PRIMARY KEY, t VARCHAR(50))", "INSERT INTO many SELECT seq, CONCAT('row ', seq) FROM seq_1_to_3000", "SELECT * FROM many ORDER BY n"),
                  prepare("SELECT * FROM many WHERE n <= ? ORDER BY n", [500], [2], [0])],
    "charsets": [*sql("CREATE TABLE texts (a VARCHAR(50) CHARACTER SET latin1, b VARCHAR(50) CHARACTER SET utf8mb4, c VARCHAR(50) CHARACTER SET utf16)",
                      "INSERT INTO texts VALUES ('äß', '漢字😀', 'ÿ')", "SELECT * FROM texts", "SET NAMES latin1", "SELECT * FROM texts",
                      "SELECT @@character_set_client, @@collation_connection",
                      "SET NAMES utf8mb4 COLLATE utf8mb4_bin", "SELECT 'a' = 'A', @@collation_connection", "SET character_set_results = NULL", "SELECT a, b, HEX(c) FROM texts",
                      "SET CHARACTER SET utf8mb3", "SELECT @@character_set_client, @@character_set_results, @@collation_connection"),
                 {"charset": "latin1"}, *sql("SELECT @@character_set_client", "SELECT b FROM texts"), {"charset": "utf8mb4"}, *sql("SELECT b FROM texts")],
    "transactions and savepoints": sql(
        "CREATE TABLE tr (a INT PRIMARY KEY) ENGINE = InnoDB", "BEGIN", "INSERT INTO tr VALUES (1)", "SAVEPOINT s1", "INSERT INTO tr VALUES (2)", "SELECT * FROM tr", "ROLLBACK TO s1",
        "SELECT * FROM tr",
        "RELEASE SAVEPOINT s1", "COMMIT", "SELECT * FROM tr", "SET autocommit = 0", "INSERT INTO tr VALUES (3)", "SELECT COUNT(*) FROM tr", "ROLLBACK", "SELECT COUNT(*) FROM tr",
        "SET autocommit = 1",
        "START TRANSACTION READ ONLY", "SELECT COUNT(*) FROM tr", "INSERT INTO tr VALUES (9)", "COMMIT", "START TRANSACTION WITH CONSISTENT SNAPSHOT", "SELECT @@in_transaction",
        "COMMIT AND CHAIN",
        "SELECT @@in_transaction", "ROLLBACK", "SELECT @@in_transaction", "BEGIN", "INSERT INTO tr VALUES (4)", "CREATE TABLE implicit (a INT)", "SELECT @@in_transaction", "ROLLBACK",
        "SELECT * FROM tr",
        "ROLLBACK TO nowhere"),
    "isolation": sql("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SELECT @@tx_isolation", "BEGIN", "COMMIT", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                     "SELECT @@tx_isolation",
                     "SET SESSION TRANSACTION READ ONLY", "SELECT @@tx_read_only", "CREATE TABLE not_now (a INT)", "SET SESSION TRANSACTION READ WRITE", "CREATE TABLE now_then (a INT)"),
    "locks": sql("CREATE TABLE lk (a INT PRIMARY KEY)", "INSERT INTO lk VALUES (1)", "SELECT GET_LOCK('a', 1), IS_USED_LOCK('a') = CONNECTION_ID()", "SELECT GET_LOCK('b', 0)",
                 "SELECT RELEASE_ALL_LOCKS()",
                 "LOCK TABLES lk WRITE", "INSERT INTO lk VALUES (2)", "SELECT * FROM lk", "SELECT * FROM mysql.user", "UNLOCK TABLES", "BEGIN", "SELECT * FROM lk FOR UPDATE",
                 "SELECT * FROM lk LOCK IN SHARE MODE", "COMMIT", "SELECT a FROM lk WHERE a = 1 FOR UPDATE"),
    "temporary tables": sql("CREATE TEMPORARY TABLE tmp (a INT)", "INSERT INTO tmp VALUES (1), (2)", "SELECT * FROM tmp", "SELECT COUNT(*) FROM tmp t1",
                            "ALTER TABLE tmp ADD b INT DEFAULT 7", "SELECT * FROM tmp",
                            "DROP TEMPORARY TABLE tmp", "SELECT * FROM tmp"),
    "user variables": sql("SET @a = 5, @b = 'text', @c = NULL, @d = 1.50, @e = x'ff'", "SELECT @a, @b, @c, @d, HEX(@e), @nothing", "SELECT @a := @a + 1", "SELECT @a",
                          "SET @f = (SELECT MAX(seq) FROM seq_1_to_10)",
                          "SELECT @f", "SELECT 1 INTO @g", "SELECT @g + @a", "SELECT COLLATION(@b), CHARSET(@b)"),
    "system variables": sql("SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'", "SELECT 'a' || 'b', @@sql_mode", "SET SESSION time_zone = '+05:30'", "SELECT @@time_zone, FROM_UNIXTIME(0)",
                            "SET sql_mode = DEFAULT",
                            "SET lc_time_names = 'de_DE'", "SELECT DATE_FORMAT('2024-03-01', '%M %W')", "SET group_concat_max_len = 5", "SELECT GROUP_CONCAT(seq) FROM seq_1_to_9",
                            "SET div_precision_increment = 8",
                            "SELECT 1/3", "SET timestamp = 1000000000", "SELECT NOW(), UNIX_TIMESTAMP()", "SET timestamp = DEFAULT", "SET STATEMENT max_statement_time = 5 FOR SELECT 1",
                            "SET nonsense = 1",
                            "SET sql_mode = 'nonsense'", "SHOW VARIABLES LIKE 'sql_mode'", "SELECT @@session.autocommit, @@global.read_only"),
    "last_insert_id": sql("CREATE TABLE li (id INT AUTO_INCREMENT PRIMARY KEY, a INT)", "INSERT INTO li (a) VALUES (1)", "SELECT LAST_INSERT_ID()",
                          "INSERT INTO li (a) VALUES (2), (3), (4)", "SELECT LAST_INSERT_ID()",
                          "INSERT INTO li VALUES (100, 5)", "SELECT LAST_INSERT_ID()", "SELECT LAST_INSERT_ID(42)", "SELECT LAST_INSERT_ID()",
                          "UPDATE li SET a = LAST_INSERT_ID(a + 1) WHERE id = 1", "SELECT LAST_INSERT_ID()",
                          "SELECT * FROM li WHERE id IS NULL", "INSERT INTO li (a) VALUES (6) RETURNING id, a", "SELECT @@last_insert_id, @@identity", "REPLACE INTO li VALUES (1, 9)",
                          "INSERT INTO li VALUES (1, 1) ON DUPLICATE KEY UPDATE a = a + 1", "SELECT * FROM li", "SELECT LAST_INSERT_ID()"),
    "found rows and row count": sql("CREATE TABLE fr (a INT)", "INSERT INTO fr SELECT seq FROM seq_1_to_20", "SELECT ROW_COUNT()",
                                    "SELECT SQL_CALC_FOUND_ROWS * FROM fr ORDER BY a LIMIT 3", "SELECT FOUND_ROWS()",
                                    "SELECT * FROM fr ORDER BY a LIMIT 5", "SELECT FOUND_ROWS()", "UPDATE fr SET a = a WHERE a < 5", "SELECT ROW_COUNT()",
                                    "UPDATE fr SET a = a + 1 WHERE a < 5", "SELECT ROW_COUNT()",
                                    "DELETE FROM fr WHERE a > 10", "SELECT ROW_COUNT(), FOUND_ROWS()", "SELECT ROW_COUNT()"),
    "warnings": sql("SELECT 1/0, CAST('abc' AS SIGNED)", "SHOW WARNINGS", "SHOW COUNT(*) WARNINGS", "SELECT @@warning_count", "DROP TABLE IF EXISTS not_there", "SHOW WARNINGS",
                    "SHOW WARNINGS LIMIT 1", "SELECT * FROM not_there", "SHOW ERRORS", "SHOW WARNINGS", "SELECT @@error_count", "DO CAST('x' AS INT)", "SHOW WARNINGS",
                    "GET DIAGNOSTICS @n = NUMBER", "SELECT @n"),
    "procedures with several results": [
        *sql("CREATE PROCEDURE two(n INT) BEGIN SELECT n; SELECT n + 1, 'x'; END", "CALL two(4)", "CREATE PROCEDURE gives(OUT o INT, INOUT io INT) BEGIN SET o = 7; SET io = io * 2; END",
             "SET @io = 21", "CALL gives(@o, @io)",
             "SELECT @o, @io", "CREATE PROCEDURE fails() BEGIN SELECT 1; SELECT * FROM not_there; END", "CALL fails()", "CREATE PROCEDURE quiet() BEGIN END", "CALL quiet()",
             "CREATE FUNCTION f(a INT) RETURNS INT DETERMINISTIC RETURN a * 2", "SELECT f(21)"), prepare("CALL two(?)", [1], [2])],
    "cursors": [*sql("CREATE TABLE cu (n INT PRIMARY KEY, t TEXT)", "INSERT INTO cu SELECT seq, REPEAT('t', seq) FROM seq_1_to_300"), prepare("SELECT * FROM cu ORDER BY n", [], [],
                                                                                                                                              cursor=True),
                prepare("SELECT * FROM cu WHERE n > ? ORDER BY n", [290], [298], cursor=True, reset=True), *sql("SELECT COUNT(*) FROM cu")],
    "multi-statements": sql("CREATE TABLE ms (a INT); INSERT INTO ms VALUES (1), (2); SELECT * FROM ms; UPDATE ms SET a = a + 1; SELECT SUM(a) FROM ms",
                            "SELECT 1; SELECT * FROM not_there; SELECT 2", "SELECT 3;",
                            "SET @x = 1; SELECT @x", ";", "SELECT 'a;b'; SELECT \"c;d\" -- e;f"),
    "text prepared statements": sql("PREPARE p FROM 'SELECT ? + ?'", "SET @a = 1, @b = 2", "EXECUTE p USING @a, @b", "EXECUTE p USING 3, 4", "DEALLOCATE PREPARE p",
                                    "EXECUTE p USING 1, 2", "EXECUTE IMMEDIATE 'SELECT 5'"),
    "errors": sql("SELEC 1", "SELECT * FROM nowhere.nothing", "SELECT nothing()", "CREATE TABLE er (a INT PRIMARY KEY, b INT NOT NULL)", "INSERT INTO er VALUES (1, 1)",
                  "INSERT INTO er VALUES (1, 1)", "INSERT INTO er VALUES (2, NULL)",
                  "INSERT INTO er (a) VALUES ('x')", "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'mine', MYSQL_ERRNO = 5000", "SELECT * FROM er WHERE", "USE nowhere",
                  "DROP DATABASE nowhere", "SELECT 1 FROM er GROUP BY", "",
                  "/* nothing */", "SELECT (SELECT 1 UNION SELECT 2)", "KILL 4000000"),
    "bad prepared statements": [prepare("SELECT * FROM not_there WHERE a = ?", [1]), prepare("SELEC ?", [1]), prepare("SELECT 1; SELECT 2", [])],
    "schema": [*sql("SELECT DATABASE()", "CREATE TABLE sc (a INT)", "USE shop", "SELECT DATABASE()"), {"database": SCHEMA}, *sql("SELECT DATABASE()", "SHOW TABLES"),
               {"database": "nowhere"}, *sql("SELECT DATABASE()"), {"ping": 1}],
    "change of user": [*sql("SET @a = 1", "CREATE TEMPORARY TABLE gone (a INT)"), {"change_user": ["other", "another", SCHEMA]}, *sql("SELECT CURRENT_USER(), DATABASE(), @a",
                                                                                                                                      "SELECT * FROM gone")],
    "reset": [*sql("SET @a = 1, sql_mode = ''", "CREATE TEMPORARY TABLE gone (a INT)", "BEGIN"), {"reset": 1}, *sql("SELECT @a, @@in_transaction, DATABASE()", "SELECT * FROM gone",
                                                                                                                    "SELECT @@sql_mode = @@global.sql_mode")],
    "comments and hints": sql("SELECT /*! 1 + */ 1", "SELECT /*M!100100 2 + */ 1", "SELECT 1 -- x", "SELECT 1 # x", "SELECT /* ' */ 1, 'it''s', \"say \"\"hi\"\"\"", "SELECT /*+ x */ 1",
                              "SELECT 'a' 'b'", "SELECT _utf8mb4 x'c3a4', N'x'"),
    "show and explain": sql("CREATE TABLE se (a INT PRIMARY KEY, b TEXT)", "SHOW CREATE TABLE se", "EXPLAIN SELECT * FROM se WHERE a = 1", "DESCRIBE se", "SHOW INDEX FROM se",
                            "SHOW FULL COLUMNS FROM se", "SHOW COLLATION LIKE 'utf8mb4_bin'",
                            "CHECKSUM TABLE se", "ANALYZE TABLE se", "SHOW TABLES LIKE 's%'", "SHOW GRANTS"),
    "expressions that only run where they write": sql("CREATE TABLE wr (a INT)", "INSERT INTO wr VALUES (1) RETURNING a, a + 1", "DELETE FROM wr RETURNING *", "CREATE SEQUENCE sq",
                                                      "SELECT NEXT VALUE FOR sq", "SELECT NEXTVAL(sq), LASTVAL(sq)",
                                                      "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r", "TRUNCATE wr",
                                                      "VALUES (1, 2), (3, 4)", "(SELECT 1) UNION (SELECT 2) ORDER BY 1 DESC",
                                                      "TABLE wr", "HANDLER wr OPEN", "HANDLER wr READ FIRST", "HANDLER wr CLOSE"),
}


def fresh_schema(cluster):
    cluster.primary.sql(f"DROP DATABASE IF EXISTS {SCHEMA}; CREATE DATABASE {SCHEMA}")
    cluster.wait_caught_up()


@pytest.mark.parametrize("name", CHECKLIST, ids=[name.replace(" ", "-") for name in CHECKLIST])
@pytest.mark.parametrize("driver", DRIVERS)
def test_the_router_answers_as_the_server(cluster, router, driver, name):
    if not is_there(driver):
        pytest.skip(f"no {driver} here: scripts/install-dependencies test")
    steps = CHECKLIST[name]
    fresh_schema(cluster)
    direct = run_steps(driver, (cluster.primary.host, cluster.primary.port), SCHEMA, steps)
    fresh_schema(cluster)
    routed = run_steps(driver, (router.host, router.port), SCHEMA, steps)
    assert len(direct) == len(routed) == len(steps)
    for step, expected, given in zip(steps, direct, routed):
        assert given == expected, f"{driver}: {json.dumps(step)[:300]}"
    if direct == [["not known to this driver"]] * len(steps):
        pytest.skip(f"{driver} has nothing of this")


def test_the_reads_of_the_checklist_ran_on_the_replica_too(cluster, router):
    """What the comparison is worth: through the router, a good part of it is answered by the other server."""
    before = router.metrics()
    fresh_schema(cluster)
    run_steps("pymysql", (router.host, router.port), SCHEMA, CHECKLIST["all column types as text"])
    grown = [name for name, value in router.metrics().items() if "replica" in name and value != before.get(name)]
    assert grown
