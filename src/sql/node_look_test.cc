// What a node's answer to a look means.
#include "sql/node_look.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using sql::Look;
using sql::QueryAnswer;
using sql::QueryResult;
using sql::read_look;
using sql::ThreadState;

namespace {

QueryAnswer answer_of(QueryResult sources) {
    QueryAnswer answer;
    answer.results.push_back({
        .columns = {"read_only", "server_id", "applied", "written"},
        .rows = {{"1", "7", "0-1-270", ""}},
    });
    answer.results.push_back(std::move(sources));
    answer.results.push_back({.columns = {"Variable_name", "Value"}, .rows = {{"Uptime", "3600"}}});
    return answer;
}

QueryResult one_source() {
    return {
        .columns =
            {"Connection_name",
             "Master_Host",
             "Master_Port",
             "Slave_IO_Running",
             "Slave_SQL_Running",
             "Seconds_Behind_Master",
             "Last_IO_Error",
             "Last_SQL_Error",
             "Master_Server_Id"},
        .rows = {{"", "10.0.0.5", "3306", "Connecting", "Yes", std::nullopt, "gone away", "", "1"}},
    };
}

}  // namespace

TEST_CASE("a node's variables and replication connections are read") {
    Look look = read_look(answer_of(one_source()), "10.11.19-MariaDB");
    REQUIRE(look);
    CHECK(look->is_read_only);
    CHECK(look->server_id == 7);
    CHECK(look->version == "10.11.19-MariaDB");
    CHECK(look->uptime == 1h);
    CHECK(*look->applied == *mysql::GtidPosition::read("0-1-270"));
    CHECK(look->written->is_empty());
    REQUIRE(look->sources.size() == 1);
    CHECK(look->sources[0].address == "10.0.0.5:3306");
    CHECK(look->sources[0].server_id == 1);
    CHECK(look->sources[0].receiver == ThreadState::connecting);
    CHECK(look->sources[0].applier == ThreadState::running);
    CHECK(!look->sources[0].behind);
    CHECK(look->sources[0].error == "gone away");
}

TEST_CASE("a source is written as an address is, also with IPv6") {
    QueryResult sources = one_source();
    sources.rows[0][1] = "fe80::1";
    CHECK(read_look(answer_of(sources), "")->sources[0].address == "[fe80::1]:3306");
}

TEST_CASE("a position that cannot be read is none, and not an empty one") {
    QueryAnswer answer = answer_of({});
    answer.results[0].rows[0][2] = "0-1";
    answer.results[0].rows[0][3] = std::nullopt;
    Look look = read_look(answer, "");
    REQUIRE(look);
    CHECK(!look->applied);
    CHECK(!look->written);
}

TEST_CASE("the beat is read where it is there, and its absence is no failure") {
    QueryAnswer answer = answer_of({});
    CHECK(!read_look(answer, "")->beat);
    answer.failure = {.kind = core::ErrorKind::permission, .number = 1146, .message = "no such table"};
    REQUIRE(read_look(answer, ""));
    CHECK(!read_look(answer, "")->beat);
    answer.failure.reset();
    answer.results.push_back({.columns = {"beat"}, .rows = {{"18446744073709551615"}}});
    CHECK(read_look(answer, "")->beat == UINT64_MAX);
}

TEST_CASE("an answer without what was asked for is a failed look") {
    QueryAnswer missing = answer_of({});
    missing.results.pop_back();
    CHECK(!read_look(missing, ""));
    QueryAnswer no_row = answer_of({});
    no_row.results[0].rows.clear();
    CHECK(!read_look(no_row, ""));
    QueryAnswer no_number = answer_of({});
    no_number.results[2].rows[0][1] = "12x";
    CHECK(!read_look(no_number, ""));
    QueryAnswer null = answer_of({});
    null.results[0].rows[0][0] = std::nullopt;
    CHECK(!read_look(null, ""));
    CHECK(!read_look({}, ""));
}

TEST_CASE("a missing privilege is said with its cure") {
    QueryAnswer denied = answer_of({});
    denied.results.pop_back();
    denied.failure = {
        .kind = core::ErrorKind::permission,
        .number = 1227,
        .message = "Access denied; you need"
    };
    Look look = read_look(denied, "");
    REQUIRE(!look);
    CHECK(look.error().sentence.starts_with("error 1227: Access denied; you need"));
    CHECK(look.error().sentence.contains("GRANT REPLICA MONITOR"));
}
