// Whether a statement uses tables.
#include <doctest/doctest.h>

#include "sql/statement_class.h"

namespace sql {

TEST_CASE("whether a statement uses tables, as a server counts them when it forgets warnings") {
    struct Row {
        const char* text;
        TableUse tables;
    };
    const Row rows[] = {
        {"SELECT 1", TableUse::none},
        {"SELECT 1 FROM DUAL", TableUse::none},
        {"SELECT 1 FROM t", TableUse::some},
        {"SELECT (SELECT a FROM t)", TableUse::some},
        {"SELECT * FROM (SELECT 1) AS x", TableUse::some},
        {"WITH x AS (SELECT 1) SELECT * FROM x", TableUse::some},
        {"SELECT TRIM('x' FROM 'xa')", TableUse::unclear},
        {"SELECT TRIM('x' FROM a) FROM t", TableUse::some},
        {"SELECT EXTRACT(YEAR FROM NOW()), 1 FROM DUAL", TableUse::unclear},
        {"SELECT f()", TableUse::unclear},
        {"VALUES (1), (2)", TableUse::none},
        {"SELECT 1 UNION SELECT a FROM t", TableUse::some},
        {"BEGIN", TableUse::none},
        {"COMMIT", TableUse::none},
        {"SAVEPOINT s", TableUse::none},
        {"USE shop", TableUse::none},
        {"DO 1", TableUse::none},
        {"SET @a = 1, sql_mode = ''", TableUse::none},
        {"SET @a = (SELECT a FROM t)", TableUse::some},
        {"SET STATEMENT max_statement_time = 1 FOR SELECT a FROM t", TableUse::some},
        {"INSERT INTO t VALUES (1)", TableUse::some},
        {"UPDATE t SET a = 1", TableUse::some},
        {"DELETE FROM t", TableUse::some},
        {"TRUNCATE t", TableUse::some},
        {"UNLOCK TABLES", TableUse::none},
        {"SHOW TABLES", TableUse::some},
        {"SHOW CREATE TABLE t", TableUse::some},
        {"SHOW CREATE DATABASE d", TableUse::unclear},
        {"SHOW WARNINGS", TableUse::none},
        {"SHOW PROCESSLIST", TableUse::unclear},
        {"DESCRIBE t", TableUse::some},
        {"EXPLAIN SELECT 1", TableUse::none},
        {"EXPLAIN SELECT a FROM t", TableUse::some},
        {"EXPLAIN UPDATE t SET a = 1", TableUse::some},
        {"CREATE TABLE t (a INT)", TableUse::unclear},
        {"CALL p()", TableUse::unclear},
        {"EXECUTE p", TableUse::unclear},
        {"BEGIN NOT ATOMIC SELECT 1; END", TableUse::unclear},
        {"-- nothing", TableUse::none},
        {"SELECT a FROM t; SELECT 1", TableUse::some},
        {"SELECT 1; SELECT 2", TableUse::none},
        {"SELECT 1; CALL p()", TableUse::unclear},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(classify(row.text, {}).tables == row.tables);
    }
}

}  // namespace sql
