// The status as JSON: the keys that scripts rely on, and that the verbs read back what the server wrote.
#include "node/status/json.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "node/status/sample_status.h"

namespace node {

namespace {

using Json = nlohmann::json;

Json json_of(const ServerStatus& status) {
    Json document = Json::parse(status_json(status), nullptr, false);
    REQUIRE(document.is_object());
    return document;
}

}  // namespace

TEST_CASE("the keys of the contract are there with their values") {
    Json status = json_of(sample_status());
    CHECK(status["site"] == "api.foobar.com");
    CHECK(status["server"] == "lb1");
    CHECK(status["pid"] == 4711);
    CHECK(status["uptime_seconds"] == 3725.5);
    CHECK(status["connections"]["current"] == 12);
    CHECK(status["connections"]["limit"] == 20000);
    CHECK(status["connections"]["total"] == 345);
    CHECK(status["requests_total"] == 4000);
    CHECK(status["listeners"] == Json::array({"127.0.0.1:8101", "[::1]:8101"}));
    CHECK(status["ended"]["complete"] == 3900);
    CHECK(status["ended"]["drained"] == 8);
    CHECK(status["responses"]["5xx"] == 10);
    REQUIRE(status["pools"].size() == 1);
    const Json& pool = status["pools"][0];
    CHECK(pool["name"] == "origin");
    CHECK(pool["mode"] == "active-active");
    CHECK(pool["algorithm"] == "round-robin");
    CHECK(pool["queued"] == 2);
    REQUIRE(pool["backends"].size() == 4);
    const Json& first = pool["backends"][0];
    CHECK(first["name"] == "b1");
    CHECK(first["address"] == "127.0.0.1:9002");
    CHECK(first["state"] == "up");
    CHECK(first["weight"] == 100);
    CHECK(first["configured_weight"] == 100);
    CHECK(first["effective_weight"] == 100);
    CHECK(first["backup"] == false);
    CHECK(first["override"].is_null());
    CHECK(first["in_flight"] == 3);
    CHECK(first["requests_total"] == 1000);
    CHECK(first["errors_total"] == 5);
    CHECK(first["connections_idle"] == 4);
    CHECK(first["queued"] == 0);
    CHECK(first["last_change_seconds"] == 90061.5);
    CHECK(pool["backends"][1]["override"] == Json{{"weight", 300}});
    CHECK(pool["backends"][2]["override"] == Json{{"admin", "drain"}});
    CHECK(pool["backends"][3]["backup"] == true);
}

TEST_CASE("the SQL router's connections and pinned sessions are there") {
    Json router = json_of(sample_status())["sql_router"];
    CHECK(router["clients"]["current"] == 9);
    CHECK(router["connections_limit"] == 100);
    CHECK(
        router["pinned"] ==
        Json::array(
            {{{"reason", "named_lock"}, {"sessions", 2}}, {{"reason", "prepared_statement"}, {"sessions", 3}}}
        )
    );
    REQUIRE(router["nodes"].size() == 2);
    CHECK(router["nodes"][0]["connections"] == 7);
    CHECK(router["nodes"][0]["connections_idle"] == 3);
    CHECK(router["nodes"][0]["waiting"] == 1);
    CHECK(router["nodes"][0]["lag_seconds"].is_null());
    CHECK(router["nodes"][1]["lag_seconds"] == 0.25);
    CHECK(router["nodes"][0]["override"].is_null());
    CHECK(router["nodes"][1]["override"] == Json{{"weight", 70}});
    CHECK(router["nodes"][1]["weight"] == 70);
    CHECK(router["nodes"][1]["configured_weight"] == 100);
    CHECK(router["nodes"][1]["in_rotation"] == true);
}

TEST_CASE("what is read and written again is the same") {
    std::string text = status_json(sample_status());
    auto read = parse_status_json(text);
    REQUIRE_MESSAGE(read, read.error().context());
    CHECK(status_json(*read) == text);
    CHECK(read->pools[0].backends[3].reason == sample_status().pools[0].backends[3].reason);
    CHECK(read->uptime == sample_status().uptime);
    CHECK(read->request_time.buckets == sample_status().request_time.buckets);
    CHECK(status_json(*parse_status_json(status_json({}))) == status_json({}));
}

TEST_CASE("texts that are not UTF-8 do not make the answer invalid") {
    ServerStatus status = sample_status();
    status.pools[0].backends[0].reason = "GET /\xff: \x01";
    CHECK(json_of(status)["pools"][0]["backends"][0]["reason"].is_string());
}

TEST_CASE("another version's keys are no obstacle, wrong kinds are") {
    auto read =
        parse_status_json(R"({"site":"s","colour":"blue","pools":[{"name":"p","backends":[{"name":"b"}]}]})");
    REQUIRE(read);
    CHECK(read->site == "s");
    CHECK(read->pools[0].backends[0].name == "b");
    CHECK(read->pid == 0);
    for (const char* text : {
             "",
             "[]",
             "{",
             R"({"site":5})",
             R"({"pid":"x"})",
             R"({"pid":1.5})",
             R"({"requests_total":-1})",
             R"({"threads":4294967296})",
             R"({"uptime_seconds":1e300})",
             R"({"pools":{}})",
             R"({"pools":[5]})",
             R"({"pools":[{"backends":[[]]}]})",
             R"({"connections":5})",
             R"({"pools":[{"backends":[{"override":"x"}]}]})",
         }) {
        CAPTURE(text);
        CHECK_FALSE(parse_status_json(text));
    }
}

TEST_CASE("a status that is cut anywhere is refused") {
    std::string text = status_json(sample_status());
    for (size_t size = 0; size < text.size(); size += 7) {
        CHECK_FALSE(parse_status_json(text.substr(0, size)));
    }
}

}  // namespace node
