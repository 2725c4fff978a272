// What SET assigns: literals as they are written, and everything else told apart from them.
#include "sql/assignment_reader.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace sql {
namespace {

std::vector<Assignment> assignments_of(std::string_view text) {
    AssignmentReader reader(text, {});
    std::vector<Assignment> found;
    while (const auto assignment = reader.next()) {
        found.push_back(*assignment);
    }
    return found;
}

TEST_CASE("literals are captured as they are written") {
    struct Row {
        std::string_view text;
        AssignmentKind kind;
        std::string_view name;
        std::string_view value;
    };
    using enum AssignmentKind;
    constexpr Row kRows[] = {
        {"SET sql_mode='ANSI,TRADITIONAL'", system_variable, "sql_mode", "'ANSI,TRADITIONAL'"},
        {"set session sql_mode := ANSI", system_variable, "sql_mode", "ANSI"},
        {"SET LOCAL sql_mode = DEFAULT;", system_variable, "sql_mode", "DEFAULT"},
        {"SET @@sql_mode=''", system_variable, "sql_mode", "''"},
        {"SET @@session.`sql_mode` = ''", system_variable, "sql_mode", "''"},
        {"/*!40014 SET FOREIGN_KEY_CHECKS=0 */", system_variable, "FOREIGN_KEY_CHECKS", "0"},
        {"SET max_statement_time = -1.5", system_variable, "max_statement_time", "-1.5"},
        {"SET GLOBAL max_connections = 5", global_variable, "max_connections", "5"},
        {"SET @@global.max_connections = 5", global_variable, "max_connections", "5"},
        {"SET @a = 1", user_variable, "a", "1"},
        {"SET @`a b` := 'x''y'", user_variable, "a b", "'x''y'"},
        {"SET @a = _latin1'x'", user_variable, "a", "_latin1'x'"},
        {"SET @a = x'41'", user_variable, "a", "x'41'"},
        {"SET @a = NULL", user_variable, "a", "NULL"},
        {"SET NAMES utf8mb4", names, "", "utf8mb4"},
        {"SET NAMES 'utf8mb4'", names, "", "'utf8mb4'"},
        {"SET CHARACTER SET latin1", character_set, "", "latin1"},
        {"SET CHARSET latin1", character_set, "", "latin1"},
        {"SET SESSION TRANSACTION READ ONLY", system_variable, "tx_read_only", "1"},
        {"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
         system_variable,
         "tx_isolation",
         "'REPEATABLE-READ'"},
        {"SET GLOBAL TRANSACTION READ WRITE", global_variable, "tx_read_only", "0"},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.text);
        const std::vector<Assignment> found = assignments_of(row.text);
        REQUIRE(found.size() == 1);
        CHECK(found[0].kind == row.kind);
        CHECK(found[0].name == row.name);
        CHECK(found[0].value == row.value);
        CHECK(found[0].is_literal);
    }
    CHECK(assignments_of("SET NAMES utf8mb4 COLLATE utf8mb4_bin")[0].collation == "utf8mb4_bin");
}

TEST_CASE("what is computed is no literal") {
    for (const char* text :
         {"SET @a = b",
          "SET @a = 1 + 1",
          "SET @a = 'a' 'b'",
          "SET @a = (1)",
          "SET @a = @b",
          "SET @a = f(1, 2)",
          "SET sql_mode = CONCAT(@@sql_mode, ',ANSI')",
          "SET sql_mode = (SELECT '')",
          "SET @a = _utf8'x' COLLATE utf8_bin",
          "SET @a = DATE'2020-01-01'",
          "SET @a = - -1",
          "SET @a = ?"}) {
        CAPTURE(text);
        const std::vector<Assignment> found = assignments_of(text);
        REQUIRE(found.size() == 1);
        CHECK_FALSE(found[0].is_literal);
        CHECK(found[0].value.empty());
    }
}

TEST_CASE("several assignments are read one by one, up to the end of the statement") {
    const std::vector<Assignment> found =
        assignments_of("SET @a = f(1, 2), sql_mode = '', GLOBAL x = 1, NAMES utf8; SET @b = 1");
    REQUIRE(found.size() == 4);
    CHECK(found[1].name == "sql_mode");
    CHECK(found[2].kind == AssignmentKind::global_variable);
    CHECK(found[3].kind == AssignmentKind::names);
    const std::vector<Assignment> both =
        assignments_of("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY");
    REQUIRE(both.size() == 2);
    CHECK(both[0].value == "'READ-COMMITTED'");
    CHECK(both[1].value == "1");
}

TEST_CASE("SET STATEMENT ends at its FOR") {
    AssignmentReader reader("SET STATEMENT max_statement_time=1, sql_mode='' FOR SELECT 1", {});
    CHECK(reader.is_for_one_statement());
    CHECK(reader.next()->name == "max_statement_time");
    CHECK(reader.next()->name == "sql_mode");
    CHECK_FALSE(reader.next());
    CHECK(reader.position() == 48);
}

TEST_CASE("what is not understood is unclear, and the last") {
    for (const char* text :
         {"SET",
          "SET ,",
          "SET x",
          "SET x 1",
          "SET @ = 1",
          "SET 1 = 1",
          "SET NAMES",
          "SET NAMES a b",
          "SET SESSION TRANSACTION",
          "SET SESSION TRANSACTION ISOLATION LEVEL",
          "SET a.b = 1, c = 2",
          "SET @@global x = 1",
          "SET @`a``b` = 1",
          "SET x = 'a"}) {
        CAPTURE(text);
        const std::vector<Assignment> found = assignments_of(text);
        REQUIRE_FALSE(found.empty());
        const Assignment& last = found.back();
        CHECK((last.kind == AssignmentKind::unclear || !last.is_literal));
    }
    CHECK(assignments_of("SELECT 1").empty());
}

TEST_CASE("variables are cared for by what is known of them") {
    CHECK(variable_care("AUTOCOMMIT") == VariableCare::autocommit);
    CHECK(variable_care("sql_mode") == VariableCare::reported);
    CHECK(variable_care("Sort_Buffer_Size") == VariableCare::carried);
    CHECK(variable_care("last_insert_id") == VariableCare::previous_result);
    CHECK(variable_care("session_track_schema") == VariableCare::session_tracking);
    CHECK(variable_care("gtid_domain_id") == VariableCare::unknown);
    CHECK(variable_care("sql_log_bin") == VariableCare::unknown);
    CHECK(variable_care("timestamp") == VariableCare::unknown);
    CHECK(variable_care("") == VariableCare::unknown);
}

}  // namespace
}  // namespace sql
