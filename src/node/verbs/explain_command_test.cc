// The verb `explain`: what it prints of a statement, as text and as JSON.
#include "node/verbs/explain_command.h"

#include <string>

#include <doctest/doctest.h>

#include "node/control/scripted_os.h"

namespace node {

namespace {

std::string explained(ExplainOptions options) {
    std::string out;
    ScriptedOs os;
    Console console{
        .os = os,
        .environment = {},
        .out = [&](std::string_view text) { out += text; },
        .err = [](std::string_view) {},
        .is_terminal = false,
        .terminal_size = [] { return TerminalSize{}; },
    };
    CHECK(explain(options, console) == 0);
    return out;
}

}  // namespace

TEST_CASE("a statement's target and reason are printed") {
    CHECK(explained({.sql = "SELECT 1"}).starts_with("target       read\nreason       it only reads"));
    const std::string locked = explained({.sql = "SELECT GET_LOCK('a', 1)"});
    CHECK(locked.contains("target       primary\n"));
    CHECK(locked.contains("pins         named_lock\n"));
    CHECK(explained({.sql = "SET sql_mode = 'ANSI'"}).contains("sets         sql_mode = 'ANSI'\n"));
}

TEST_CASE("the same as JSON, with every effect") {
    const std::string json =
        explained({.sql = "SET @a = 'x\"y', autocommit = 0", .format = OutputFormat::json});
    CHECK(json.starts_with("{\"target\":\"session\",\"verb\":\"set\",\"reason\":\""));
    CHECK(json.contains("\"transaction\":\"autocommit_off\""));
    CHECK(json.contains("\"@a\":\"'x\\\"y'\""));
    CHECK(json.ends_with("\"repeatable\":false}\n"));
}

TEST_CASE("sql_mode decides how the statement is read") {
    CHECK(explained({.sql = "SELECT \"f\"(1)"}).contains("target       read"));
    CHECK(explained({.sql = "SELECT \"f\"(1)", .has_ansi_quotes = true}).contains("target       primary"));
}

}  // namespace node
