// Where statements go, and what they do to the session: tables of single statements, and every row of the
// routing table.
#include "sql/statement_class.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace sql {
namespace {

using mysql::TextEncoding;
using mysql::TokenSettings;

StatementClass classified(std::string_view text, const TokenSettings& settings = {}) {
    return classify(text, settings);
}

TEST_CASE("what provably only reads may go to any server, and may be repeated") {
    constexpr std::string_view kReads[] = {
        "SELECT 1",
        "select c from sbtest1 where id=?",
        "SELECT * FROM t WHERE a = 'it''s' AND b IN (1,2,3) ORDER BY c LIMIT 10;",
        " \t\n/* c */ select -- x\n 1 # y",
        "SELECT COUNT(*), MAX(a), NOW(), UUID(), RAND(), IFNULL(a, b) FROM t",
        "SELECT IF (a, 1, 2), LEFT (b, 1), VALUES(c), REPLACE(a, 'x', 'y'), INSERT('abc', 1, 1, 'z')",
        "SELECT count FROM now WHERE left.right = 1",
        "SELECT sleep, get_lock FROM uuid_short, last_insert_id",
        "SELECT t.into, t.for, t.lock FROM t",
        "SELECT `into`, `sleep` FROM `get_lock`",
        "SELECT 'FOR UPDATE', \"INTO OUTFILE\", 'a\\'b SLEEP(1)'",
        "SELECT 1 /* SLEEP(1) */ /*! + 1 */ /*!50101 + 1 */",
        "SELECT 1 /*!999999 , SLEEP(1) */ /*!50700 INTO OUTFILE 'x' */",
        "(SELECT 1)",
        "((SELECT 1) UNION ALL (SELECT 2)) ORDER BY 1",
        "SELECT 1 UNION (SELECT 2) EXCEPT (SELECT 3) INTERSECT (SELECT 4)",
        "VALUES (1,2),(3,4)",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "WITH RECURSIVE sleep (a, b) AS (SELECT 1, 2 UNION SELECT a+1, b FROM sleep), y (c) AS (SELECT 1) "
        "SELECT * FROM sleep JOIN y",
        "WITH x AS (SELECT 1) (SELECT * FROM x)",
        "(WITH x AS (SELECT 1) SELECT * FROM x)",
        "SELECT * FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '2020-01-01 00:00:00'",
        "SELECT * FROM t FOR SYSTEM_TIME BETWEEN (NOW() - INTERVAL 1 YEAR) AND NOW()",
        "SELECT SUBSTRING('abc' FROM 1 FOR 2), TRIM(BOTH 'x' FROM a), EXTRACT(DAY FROM b)",
        "SELECT CAST(a AS CHAR(10)), CAST(b AS DECIMAL(10,2)), CONVERT(c USING utf8mb4), CHAR(65), DATE('x')",
        "SELECT a FROM t USE INDEX (i) IGNORE INDEX FOR ORDER BY (j) JOIN u USING (a)",
        "SELECT a FROM t PARTITION (p0) WHERE EXISTS (SELECT 1) AND a > ALL (SELECT 2)",
        "SELECT RANK() OVER (PARTITION BY a ORDER BY b), SUM(a) OVER w FROM t WINDOW w AS (ORDER BY a)",
        "SELECT * FROM JSON_TABLE('[1]', '$[*]' COLUMNS (x INT PATH '$', z VARCHAR(10) PATH '$')) t",
        "SELECT MATCH (a) AGAINST ('x' IN BOOLEAN MODE) FROM t",
        "SELECT DISTINCT a FROM t GROUP BY a WITH ROLLUP HAVING (a) ORDER BY (b)",
        "SELECT @@sql_mode, @@session.time_zone, @@autocommit, @@`tx_isolation`",
        "SELECT {fn now()}, N'x', x'41', _utf8'y', \\N, 1.5e3, .5, 0x1F",
        "SELECT DATABASE(), SCHEMA()",
        "SELECT a AS get_lock FROM t",
        "SELECT next FROM list",
        "DESCRIBE t",
        "DESC t a",
        "EXPLAIN t",
        "EXPLAIN SELECT * FROM t",
        "EXPLAIN EXTENDED SELECT 1",
        "EXPLAIN FORMAT=JSON SELECT 1",
        "EXPLAIN WITH x AS (SELECT 1) SELECT * FROM x",
        "ANALYZE SELECT 1",
        "ANALYZE FORMAT=JSON SELECT 1",
        "SHOW TABLES",
        "SHOW FULL COLUMNS FROM t LIKE 'a%'",
        "SHOW CREATE TABLE t",
        "SHOW INDEX FROM t",
        "SHOW DATABASES",
        "SHOW CHARACTER SET",
        "SET STATEMENT max_statement_time=1 FOR SELECT a FROM t",
    };
    for (const std::string_view text : kReads) {
        CAPTURE(text);
        const StatementClass found = classified(text);
        CAPTURE(reason_sentence(found));
        CHECK(found.target == Target::read);
        CHECK(found.is_repeatable);
        CHECK(found.pins.is_empty());
        CHECK(found.transaction == TransactionEffect::none);
        CHECK_FALSE(found.is_multi_statement);
    }
}

struct MoreThanRead {
    std::string_view text;
    Reason reason;
};

using enum Reason;

constexpr MoreThanRead kMoreThanReads[] = {
    {"SELECT * FROM t FOR UPDATE", locks_rows},
    {"SELECT * FROM t WHERE a=1 FOR UPDATE NOWAIT", locks_rows},
    {"SELECT * FROM t FOR SHARE", locks_rows},
    {"SELECT * FROM t LOCK IN SHARE MODE", locks_rows},
    {"(SELECT * FROM t FOR UPDATE)", locks_rows},
    {"SELECT * FROM (SELECT * FROM t FOR UPDATE) x", locks_rows},
    {"SELECT 1 /*! FOR UPDATE */", locks_rows},
    {"SELECT 1 /*M! FOR UPDATE */", locks_rows},
    {"SELECT 1 /*!100100 FOR UPDATE */", locks_rows},
    {"SELECT 1 FOR/**/UPDATE", locks_rows},
    {"SELECT 1 INTO OUTFILE '/tmp/x'", into},
    {"SELECT 1 INTO DUMPFILE '/tmp/x'", into},
    {"SELECT 1.5into @x", into},
    {"(SELECT 1) INTO @x", into},
    {"SELECT a FROM t PROCEDURE ANALYSE()", procedure},
    {"SELECT f(1)", unknown_function},
    {"SELECT `f`(1)", unknown_function},
    {"SELECT `concat`('a')", unknown_function},
    {"SELECT d.f(1)", stored_function},
    {"SELECT d . `f` (1)", stored_function},
    {"SELECT d.concat('a')", stored_function},
    {"SELECT NOW ()", blank_before_call},
    {"SELECT COUNT/**/(*) FROM t", blank_before_call},
    {"SELECT SLEEP(1)", unknown_function},
    {"SELECT BENCHMARK(1, 1)", unknown_function},
    {"SELECT LOAD_FILE('x')", unknown_function},
    {"SELECT DEFAULT(a) FROM t", unknown_function},
    {"SELECT MASTER_POS_WAIT('x', 1)", unknown_function},
    {"SELECT MASTER_GTID_WAIT('0-1-1')", unknown_function},
    {"SELECT UUID_SHORT()", server_function},
    {"SELECT CONNECTION_ID()", server_function},
    {"SELECT USER()", server_function},
    {"SELECT CURRENT_USER", server_function},
    {"SELECT CURRENT_USER()", server_function},
    {"SELECT VERSION()", server_function},
    {"SELECT EXTRACTVALUE('<a/>', '//b[$@i]')", uses_user_variable},
    {"SELECT @a", uses_user_variable},
    {"SELECT @a := 1", assigns},
    {"SELECT @a:=@a+1 FROM t", assigns},
    {"SELECT NEXTVAL(s)", uses_sequence},
    {"SELECT NEXT VALUE FOR s", uses_sequence},
    {"SELECT s.nextval", uses_sequence},
    {"SELECT SETVAL(s, 5)", uses_sequence},
    {"SELECT GET_LOCK('a', 1)", named_lock},
    {"SELECT RELEASE_LOCK('a')", named_lock},
    {"SELECT IS_FREE_LOCK('a')", named_lock},
    {"SELECT IS_USED_LOCK('a')", named_lock},
    {"SELECT @@hostname", server_variable},
    {"SELECT @@server_id", server_variable},
    {"SELECT @@read_only", server_variable},
    {"SELECT @@port", server_variable},
    {"SELECT @@gtid_slave_pos", server_variable},
    {"SELECT @@global.sql_mode", server_variable},
    {"SELECT @@GLOBAL . sql_mode", server_variable},
    {"SELECT * FROM information_schema.tables", server_schema},
    {"SELECT * FROM `INFORMATION_SCHEMA`.tables", server_schema},
    {"SELECT * FROM performance_schema.threads", server_schema},
    {"SELECT * FROM mysql.user", server_schema},
    {"SELECT * FROM sys.version", server_schema},
    {"WITH x AS (SELECT SLEEP(1)) SELECT * FROM x", unknown_function},
    {"WITH x AS (SELECT 1) DELETE FROM x", write},
    {"WITH x AS (SELECT 1) UPDATE x SET a=1", write},
    {"EXPLAIN UPDATE t SET a=1", explains_write},
    {"EXPLAIN FOR CONNECTION 5", server_list},
    {"EXPLAIN SELECT f(1)", unknown_function},
    {"ANALYZE UPDATE t SET a=1", write},
    {"ANALYZE TABLE t", write},
    {"ANALYZE SELECT f()", unknown_function},
    {"SHOW MASTER STATUS", server_list},
    {"SHOW BINLOG EVENTS", server_list},
    {"SHOW SLAVE STATUS", server_list},
    {"SHOW FULL PROCESSLIST", server_list},
    {"SHOW STATUS", server_list},
    {"SHOW VARIABLES LIKE 'x'", server_list},
    {"SHOW TABLES WHERE f(1)", unknown_function},
    {"SET STATEMENT max_statement_time=1 FOR SELECT f(1)", unknown_function},
    {"SET STATEMENT sql_log_bin=0 FOR SELECT 1", sets_variable},
};

TEST_CASE("a SELECT that is more than a read goes to the primary") {
    for (const MoreThanRead& row : kMoreThanReads) {
        CAPTURE(row.text);
        const StatementClass found = classified(row.text);
        CAPTURE(reason_sentence(found));
        CHECK(found.target == Target::primary);
        CHECK(found.reason == row.reason);
    }
}

TEST_CASE("what has no end or no known beginning goes to the primary") {
    constexpr std::string_view kTexts[] = {
        "",
        ";",
        "-- x",
        "SELECT 'a",
        "SELECT `a",
        "SELECT \"a",
        "SELECT 1 /*",
        "SELECT 1 /*! ",
        "SELECT 1 /*!999999 /* */",
        "TABLE t",
        "FROB x",
        "(UPDATE t SET a=1)",
        "( ",
        "1",
        "'SELECT'",
        "WITH",
        "WITH x",
        "WITH x AS SELECT 1",
        "EXPLAIN",
        "SELECT @@",
        "SET",
        "SET x",
        "SET @a",
        "SET STATEMENT max_statement_time=1 FOR SET STATEMENT max_statement_time=1 FOR SELECT 1",
    };
    for (const std::string_view text : kTexts) {
        CAPTURE(text);
        const StatementClass found = classified(text);
        if (text == "EXPLAIN") {
            continue;  // an error on every server
        }
        CHECK(found.target == Target::primary);
        CHECK_FALSE(found.is_repeatable);
    }
    CHECK(classified(std::string_view("SELECT 1 \0 x", 12)).target == Target::primary);
    CHECK(classify("SELECT 1", {}, TextExtent::beginning).target == Target::primary);
    CHECK(classify("SET sql_mode=''", {}, TextExtent::beginning).target == Target::primary);
}

TEST_CASE("verbs are told, whatever the target") {
    struct Row {
        std::string_view text;
        Verb verb;
    };
    using enum Verb;
    constexpr Row kRows[] = {
        {"INSERT INTO t (a) VALUES (1)", insert},
        {"insert into left (a) select sleep(1)", insert},
        {"REPLACE INTO t VALUES (1)", replace},
        {"UPDATE t SET a=1", update},
        {"DELETE FROM t", delete_},
        {"LOAD DATA LOCAL INFILE 'x' INTO TABLE t", load},
        {"CALL p()", call},
        {"DO 1", do_},
        {"CREATE TABLE t (a INT)", create},
        {"CREATE OR REPLACE VIEW v AS SELECT 1", create},
        {"ALTER TABLE t ADD b INT", alter},
        {"DROP TABLE t", drop},
        {"TRUNCATE t", truncate},
        {"RENAME TABLE a TO b", rename},
        {"GRANT ALL ON *.* TO u", grant},
        {"REVOKE ALL ON *.* FROM u", grant},
        {"OPTIMIZE TABLE t", maintain},
        {"CHECK TABLE t", maintain},
        {"CHECKSUM TABLE t", maintain},
        {"ANALYZE TABLE t", maintain},
        {"CHANGE MASTER TO MASTER_HOST='x'", admin},
        {"START SLAVE", admin},
        {"SHUTDOWN", admin},
        {"BEGIN NOT ATOMIC SELECT 1; END", compound},
        {"IF 1 THEN SELECT 1; END IF", compound},
        {"SAVEPOINT a", savepoint},
        {"EXECUTE IMMEDIATE 'x'", prepare},
        {"SIGNAL SQLSTATE '45000'", diagnose},
        {"HELP 'x'", describe},
        {"frob", other},
        {"WITH x AS (SELECT 1) DELETE FROM t", delete_},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.text);
        CHECK(verb_name(classified(row.text).verb) == verb_name(row.verb));
        CHECK(classified(row.text).target != Target::read);
    }
}

TEST_CASE("what no other connection has pins the session, with its reason") {
    struct Row {
        std::string_view text;
        std::vector<Pin> pins;
    };
    const Row kRows[] = {
        {"CREATE TEMPORARY TABLE t (a INT)", {Pin::temporary_table}},
        {"CREATE OR REPLACE TEMPORARY TABLE t (a INT)", {Pin::temporary_table}},
        {"SELECT @a := 1", {Pin::user_variable}},
        {"SELECT 1 INTO @a", {Pin::user_variable}},
        {"UPDATE t SET a = @b := @b + 1", {Pin::user_variable}},
        {"SET @a = (SELECT 1)", {Pin::user_variable}},
        {"SET @a = @b", {Pin::user_variable}},
        {"CALL p(1, @out)", {Pin::user_variable}},
        {"LOAD DATA INFILE 'x' INTO TABLE t (@a, b) SET c = @a", {Pin::user_variable}},
        {"GET DIAGNOSTICS @n = NUMBER", {Pin::user_variable}},
        {"SELECT GET_LOCK('a', 10)", {Pin::named_lock}},
        {"DO GET_LOCK('a', 10)", {Pin::named_lock}},
        {"INSERT INTO t SELECT GET_LOCK('a', 10)", {Pin::named_lock}},
        {"LOCK TABLES t READ", {Pin::table_lock}},
        {"FLUSH TABLES WITH READ LOCK", {Pin::global_read_lock}},
        {"FLUSH TABLES t FOR EXPORT", {Pin::global_read_lock}},
        {"BACKUP STAGE START", {Pin::backup_lock}},
        {"BACKUP LOCK t", {Pin::backup_lock}},
        {"HANDLER t OPEN", {Pin::handler}},
        {"PREPARE s FROM 'SELECT 1'", {Pin::prepared_text}},
        {"EXECUTE IMMEDIATE 'SELECT 1'", {Pin::prepared_text}},
        {"XA START 'x'", {Pin::xa}},
        {"SELECT NEXTVAL(s)", {Pin::sequence}},
        {"INSERT INTO t VALUES (NEXT VALUE FOR s)", {Pin::sequence}},
        {"SELECT SQL_CALC_FOUND_ROWS * FROM t", {Pin::found_rows}},
        {"SELECT LAST_INSERT_ID(5)", {Pin::last_insert_id}},
        {"UPDATE t SET a = LAST_INSERT_ID(a + 1)", {}},
        {"SET sort_buffer_size = 2 * 1024", {Pin::computed_variable}},
        {"SET sql_mode = CONCAT(@@sql_mode, ',ANSI')", {}},
        {"SET profiling = 1", {Pin::unknown_variable}},
        {"SET session_track_schema = 1", {Pin::session_tracking}},
        {"SET ROLE r", {Pin::role}},
        {"SET PASSWORD = 'x'", {}},
        {"SET GLOBAL max_connections = 5", {}},
        {"SET @a = 1; SELECT 2", {Pin::user_variable}},
        {"BEGIN NOT ATOMIC SET @a = 1; END", {Pin::user_variable}},
        {"CREATE PROCEDURE p() BEGIN SET @a = 1; DO GET_LOCK('a', 1); END", {}},
        {"INSERT INTO t VALUES ('@a := GET_LOCK(1)')", {}},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.text);
        PinSet expected;
        for (const Pin pin : row.pins) {
            expected.add(pin);
        }
        CHECK(classified(row.text).pins == expected);
    }
}

TEST_CASE("what unpins is told") {
    CHECK(classified("UNLOCK TABLES").releases.has(Pin::table_lock));
    CHECK(classified("UNLOCK TABLES").releases.has(Pin::global_read_lock));
    CHECK(classified("SELECT RELEASE_ALL_LOCKS()").releases.has(Pin::named_lock));
    CHECK(classified("DO RELEASE_ALL_LOCKS()").releases.has(Pin::named_lock));
    CHECK(classified("SELECT RELEASE_LOCK('a')").releases.is_empty());
    CHECK(classified("BACKUP STAGE END").releases.has(Pin::backup_lock));
    CHECK(classified("BACKUP UNLOCK").releases.has(Pin::backup_lock));
    CHECK(classified("BACKUP STAGE FLUSH").releases.is_empty());
}

TEST_CASE("transactions are told by their words") {
    struct Row {
        std::string_view text;
        Target target;
        TransactionEffect effect;
    };
    using enum TransactionEffect;
    constexpr Row kRows[] = {
        {"BEGIN", Target::primary, begin},
        {"BEGIN WORK", Target::primary, begin},
        {"START TRANSACTION", Target::primary, begin},
        {"START TRANSACTION READ WRITE", Target::primary, begin},
        {"START TRANSACTION WITH CONSISTENT SNAPSHOT", Target::primary, begin},
        {"START TRANSACTION READ ONLY", Target::read, begin_read_only},
        {"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", Target::read, begin_read_only},
        {"COMMIT", Target::primary, end},
        {"COMMIT WORK AND NO CHAIN NO RELEASE", Target::primary, end},
        {"COMMIT AND CHAIN", Target::primary, end_and_chain},
        {"COMMIT RELEASE", Target::primary, end_and_release},
        {"ROLLBACK", Target::primary, end},
        {"ROLLBACK TO x", Target::primary, none},
        {"ROLLBACK WORK TO SAVEPOINT x", Target::primary, none},
        {"SAVEPOINT x", Target::primary, none},
        {"RELEASE SAVEPOINT x", Target::primary, none},
        {"SET TRANSACTION READ ONLY", Target::session, next_read_only},
        {"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", Target::session, next_other},
        {"SET autocommit=0", Target::session, autocommit_off},
        {"SET @@session.autocommit = OFF", Target::session, autocommit_off},
        {"SET SESSION autocommit = 'on'", Target::session, autocommit_on},
        {"SET autocommit=1, sql_mode=''", Target::session, autocommit_on},
        {"SET autocommit=2", Target::primary, none},
        {"SET autocommit=@a", Target::primary, none},
        {"SET SESSION TRANSACTION READ ONLY", Target::session, none},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.text);
        const StatementClass found = classified(row.text);
        CHECK(target_name(found.target) == target_name(row.target));
        CHECK(transaction_effect_name(found.transaction) == transaction_effect_name(row.effect));
    }
}

TEST_CASE("what follows the session needs no server now") {
    constexpr std::string_view kTexts[] = {
        "SET NAMES utf8mb4",
        "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_bin'",
        "SET CHARACTER SET latin1",
        "SET sql_mode='ANSI', time_zone='+00:00'",
        "SET SESSION sql_mode := 'STRICT_ALL_TABLES'",
        "SET @@session.wait_timeout=28800",
        "/*!40101 SET NAMES utf8 */",
        "SET @a = 1, @b = -2.5, @c = 'x', @d = NULL, @`e f` = x'41'",
        "SET foreign_key_checks=0;",
        "USE db",
        "USE `db-1`",
    };
    for (const std::string_view text : kTexts) {
        CAPTURE(text);
        const StatementClass found = classified(text);
        CAPTURE(reason_sentence(found));
        CHECK(found.target == Target::session);
        CHECK(found.pins.is_empty());
        CHECK_FALSE(found.reads_user_variables);
    }
    CHECK(classified("USE `db-1`").schema == "db-1");
    CHECK(classified("USE \"db\"", {.has_ansi_quotes = true}).schema == "db");
    CHECK(classified("USE `a``b`").target == Target::primary);
    CHECK(classified("USE a b").target == Target::primary);
}

TEST_CASE("what the connection alone remembers is asked for over the same connection") {
    constexpr std::string_view kTexts[] = {
        "SELECT LAST_INSERT_ID()",
        "SELECT FOUND_ROWS()",
        "SELECT ROW_COUNT()",
        "SELECT @@identity",
        "SELECT @@last_insert_id",
        "SELECT @@warning_count",
        "SELECT @@error_count",
        "SHOW WARNINGS",
        "SHOW ERRORS LIMIT 1",
        "SHOW COUNT(*) WARNINGS",
        "SELECT LASTVAL(s)",
        "SELECT PREVIOUS VALUE FOR s",
        "GET DIAGNOSTICS @a = NUMBER",
        "SELECT @@session.last_gtid",
    };
    for (const std::string_view text : kTexts) {
        CAPTURE(text);
        const StatementClass found = classified(text);
        CHECK(found.target == Target::same_connection_as_before);
        CHECK(found.reads_previous_result);
    }
    const StatementClass insert = classified("INSERT INTO t VALUES (LAST_INSERT_ID())");
    CHECK(insert.target == Target::primary);
    CHECK(insert.reads_previous_result);
    CHECK(insert.reads_insert_id);
    CHECK_FALSE(insert.reads_row_count);
    CHECK_FALSE(insert.reads_messages);
    CHECK(classified("SET @n = FOUND_ROWS()").reads_found_rows);
    CHECK(classified("SELECT @@warning_count").reads_messages);
    CHECK(classified("SHOW COUNT(*) ERRORS").reads_messages);
    CHECK_FALSE(classified("SELECT @@warning_count").reads_insert_id);
    const StatementClass both = classified("SELECT LAST_INSERT_ID(), ROW_COUNT()");
    CHECK(both.reads_insert_id);
    CHECK(both.reads_row_count);
    CHECK_FALSE(both.reads_found_rows);
    CHECK_FALSE(classified("SELECT last_insert_id FROM t").reads_insert_id);
    CHECK(classified("SELECT LAST_INSERT_ID(), f()").target == Target::primary);
    CHECK(classified("SELECT f(), LAST_INSERT_ID()").target == Target::primary);
}

TEST_CASE("several statements in one text are united, and go to the primary") {
    for (const char* text : {"SELECT 1; SELECT 2", ";;SELECT 1", "SELECT 1;;SELECT 2", "USE a; SELECT 1"}) {
        CAPTURE(text);
        CHECK(classified(text).target == Target::primary);
    }
    const StatementClass found =
        classified("SELECT 1; CREATE TEMPORARY TABLE x (a INT); SELECT GET_LOCK('a', 1)");
    CHECK(found.is_multi_statement);
    CHECK(found.verb == Verb::select);
    CHECK(found.pins.has(Pin::temporary_table));
    CHECK(found.pins.has(Pin::named_lock));
    CHECK_FALSE(found.is_repeatable);
    CHECK_FALSE(classified("SELECT 1;").is_multi_statement);
    CHECK_FALSE(classified("SELECT 1; -- end").is_multi_statement);
    CHECK_FALSE(classified("SELECT ';'").is_multi_statement);
    CHECK(classified("SELECT 1; BEGIN").transaction == TransactionEffect::begin);
}

TEST_CASE("sql_mode decides what a quote and a backslash are") {
    CHECK(classified("SELECT 'a\\', SLEEP(1) -- '").target == Target::read);
    CHECK(
        classified("SELECT 'a\\', SLEEP(1) -- '", {.has_backslash_escapes = false}).target == Target::primary
    );
    CHECK(classified("SELECT \"f\"(1)").target == Target::read);
    CHECK(classified("SELECT \"f\"(1)", {.has_ansi_quotes = true}).target == Target::primary);
    CHECK(classified("SELECT \"a\\\", SLEEP(1) -- \"").target == Target::read);
    CHECK(classified("SELECT \"a\\\", SLEEP(1) -- \"", {.has_ansi_quotes = true}).target == Target::primary);
}

TEST_CASE("nothing is proved of text whose characters may hide a quote") {
    const TokenSettings gbk{.encoding = TextEncoding::overlapping};
    CHECK(classified("SELECT 'a'", gbk).target == Target::read);
    CHECK(classified("SELECT '\xBF\\' , SLEEP(1) -- '", gbk).target == Target::primary);
    CHECK(classified("SELECT '\xC4\xE3'", gbk).target == Target::primary);
    CHECK(classified("SELECT '\xC4\xE3'", gbk).pins.is_empty());
    CHECK(classified("SELECT '\xC4\xE3', @a := 1", gbk).pins.has(Pin::unclear_text));
    CHECK(classified("INSERT INTO t VALUES ('\xC4\xE3')", gbk).verb == Verb::insert);
    const TokenSettings latin1{.encoding = TextEncoding::other};
    CHECK(classified("SELECT '\xE4'", latin1).target == Target::read);
    CHECK(classified("SELECT 1\xA0INTO\xA0OUTFILE 'x'", latin1).target == Target::primary);
    CHECK(classified("SELECT `\xC3\xA4`, \xC3\xA4 FROM t").target == Target::read);
}

TEST_CASE("a comment may ask for a server, and makes no read of what is none") {
    CHECK(classified("/* trilith:primary */ SELECT 1").target == Target::primary);
    CHECK(classified("/* trilith:primary */ SELECT 1").reason == Reason::hint_primary);
    const Hint hint = classified("SELECT /*trilith:replica, maxlag=500ms noryw frob*/ 1").hint;
    CHECK(hint.wish == Hint::Wish::replica);
    CHECK(hint.has_max_lag);
    CHECK(hint.max_lag == std::chrono::milliseconds(500));
    CHECK_FALSE(hint.reads_own_writes);
    CHECK(classified("/* trilith:replica */ UPDATE t SET a=1").target == Target::primary);
    CHECK(classified("/* trilith:replica */ SELECT f(1)").target == Target::primary);
    CHECK(classified("SELECT '/* trilith:primary */'").hint == Hint{});
    CHECK(classified("/* trilith:maxlag=soon */ SELECT 1").hint == Hint{});
    CHECK(classified("/* trilithic */ SELECT 1").hint == Hint{});
}

TEST_CASE("KILL tells whom and how") {
    struct Row {
        std::string_view text;
        Kill kill;
    };
    using enum Kill::Kind;
    constexpr Row kRows[] = {
        {"KILL 5", {connection, false, 5}},
        {"KILL CONNECTION 5;", {connection, false, 5}},
        {"KILL HARD QUERY 18446744073709551615", {query, false, UINT64_MAX}},
        {"KILL SOFT QUERY ID 7", {query_id, true, 7}},
        {"KILL USER foo", {user, false, 0}},
        {"KILL QUERY USER 'a'@'b'", {user, false, 0}},
        {"KILL 1+1", {expression, false, 0}},
        {"KILL ?", {expression, false, 0}},
        {"KILL CONNECTION_ID()", {expression, false, 0}},
        {"KILL 18446744073709551616", {expression, false, 0}},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.text);
        CHECK(classified(row.text).kill == row.kill);
        CHECK(classified(row.text).target == Target::primary);
    }
}

TEST_CASE("a statement cut anywhere is never wrongly called a read of more") {
    // Every proper beginning of a locking read is unclear, or a read that the rest would have changed: the
    // text that was sent is what is judged, and the whole of it is no read.
    const std::string text = "SELECT a, 'x\\'y', `b` FROM t /*! FOR */ /* c */ UPDATE";
    CHECK(classified(text).target == Target::primary);
    for (size_t size = 0; size < text.size(); ++size) {
        const std::vector<char> exact(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
        const StatementClass found = classify({exact.data(), exact.size()}, {}, TextExtent::beginning);
        CHECK(found.target == Target::primary);
        CHECK_FALSE(found.is_repeatable);
    }
}

}  // namespace
}  // namespace sql
