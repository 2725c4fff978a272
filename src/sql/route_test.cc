// Where statements of a session go: each row is a statement, a session and what is known of the servers.
#include "sql/route.h"

#include <map>
#include <string>

#include <doctest/doctest.h>

namespace sql {
namespace {

using namespace std::chrono_literals;

Node node(NodeState state, bool is_fit, uint32_t weight = 100) {
    return {.configured_weight = weight, .state = state, .is_fit = is_fit, .lag = 1s};
}

// A primary, a fit replica, and one that is not.
Routing three_nodes() {
    Routing routing;
    routing.nodes = {
        node(NodeState::primary, false),
        node(NodeState::replica, true),
        node(NodeState::replica, false),
    };
    routing.primary = 0;
    return routing;
}

RoutePlan plan(
    std::string_view text,
    const SessionFacts& session = {},
    const Routing& routing = three_nodes(),
    Reads reads = Reads::replicas,
    uint64_t random = 0
) {
    return plan_route(classify(text, {}), session, routing, reads, random);
}

TEST_CASE("a read goes to the fit replica, what is none to the primary") {
    RoutePlan read = plan("SELECT a FROM t");
    CHECK(read.place == Place::replica);
    CHECK(read.node == 1);
    CHECK(read.reads_own_writes);
    for (const char* text :
         {"INSERT INTO t VALUES (1)",
          "SELECT a FROM t FOR UPDATE",
          "SELECT f(1)",
          "SET time_zone = '+00:00'",
          "USE shop",
          "BEGIN",
          "START TRANSACTION READ ONLY",
          "SELECT 1; SELECT 2",
          "SELECT @a",
          ""}) {
        CAPTURE(text);
        CHECK(plan(text).place == Place::primary);
        CHECK(plan(text).reason == RouteReason::not_a_read);
    }
}

TEST_CASE("what a session holds keeps its reads at the primary") {
    struct Row {
        SessionFacts session;
        RouteReason reason;
    };
    const Row rows[] = {
        {{.is_in_transaction = true}, RouteReason::in_transaction},
        {{.is_autocommit = false}, RouteReason::autocommit_is_off},
        {{.pins = PinSet::of(Pin::temporary_table)}, RouteReason::pinned},
        {{.database = "information_schema"}, RouteReason::server_schema},
    };
    for (const Row& row : rows) {
        RoutePlan found = plan("SELECT a FROM t", row.session);
        CHECK(found.place == Place::primary);
        CHECK(found.reason == row.reason);
        CHECK_FALSE(route_sentence(found, {}).empty());
    }
}

TEST_CASE("what is asked of the statement before goes where that ran, the id of an insert to the primary") {
    CHECK(plan("SELECT FOUND_ROWS()").place == Place::previous);
    CHECK(plan("SHOW WARNINGS").place == Place::previous);
    for (const char* text :
         {"SELECT LAST_INSERT_ID()", "SELECT @@identity", "SELECT @@last_insert_id", "SELECT @@last_gtid"}) {
        CAPTURE(text);
        CHECK(plan(text).place == Place::primary);
        CHECK(plan(text).reason == RouteReason::last_insert_id);
    }
    CHECK(plan("SELECT FOUND_ROWS()", {.is_in_transaction = true}).place == Place::primary);
}

TEST_CASE("without a fit replica reads go to the primary") {
    Routing routing = three_nodes();
    routing.nodes[1].is_fit = false;
    CHECK(plan("SELECT 1", {}, routing).reason == RouteReason::no_fit_replica);
    routing = three_nodes();
    routing.nodes[1].configured_weight = 0;
    CHECK(plan("SELECT 1", {}, routing).reason == RouteReason::no_fit_replica);
    routing.nodes[1].override.weight = 1;
    CHECK(plan("SELECT 1", {}, routing).place == Place::replica);
    routing.nodes[1].override.admin = upstream::AdminState::draining;
    CHECK(plan("SELECT 1", {.replica = 1}, routing).reason == RouteReason::no_fit_replica);
    routing = three_nodes();
    routing.nodes[1].state = NodeState::unreachable;
    CHECK(plan("SELECT 1", {}, routing).place == Place::primary);
}

TEST_CASE("a session stays with its replica while that is fit") {
    Routing routing = three_nodes();
    routing.nodes[2].is_fit = true;
    for (uint64_t random = 0; random < 400; random += 7) {
        CHECK(plan("SELECT 1", {.replica = 2}, routing, Reads::replicas, random).node == 2);
    }
    routing.nodes[2].is_fit = false;
    CHECK(plan("SELECT 1", {.replica = 2}, routing).node == 1);
    CHECK(plan("SELECT 1", {.replica = 99}, routing).node == 1);
}

TEST_CASE("sessions are spread by weight") {
    Routing routing = three_nodes();
    routing.nodes[2] = node(NodeState::replica, true, 300);
    std::map<size_t, int> count;
    for (uint64_t random = 0; random < 400; ++random) {
        ++count[plan("SELECT 1", {}, routing, Reads::replicas, random).node];
    }
    CHECK(count[1] == 100);
    CHECK(count[2] == 300);
}

TEST_CASE("database.reads says whether the primary reads, too") {
    CHECK(plan("SELECT 1", {}, three_nodes(), Reads::primary).reason == RouteReason::reads_are_for_primary);
    int at_primary = 0;
    for (uint64_t turn = 0; turn < 200; ++turn) {
        at_primary += plan("SELECT 1", {}, three_nodes(), Reads::all, turn << 32).place == Place::primary;
    }
    CHECK(at_primary == 100);
    Routing routing = three_nodes();
    routing.primary.reset();
    CHECK(plan("SELECT 1", {}, routing, Reads::all).place == Place::replica);
}

TEST_CASE("comments choose among what is right") {
    CHECK(plan("/* trilith:primary */ SELECT 1").place == Place::primary);
    CHECK_FALSE(plan("/* trilith:noryw */ SELECT 1").reads_own_writes);
    CHECK(plan("/* trilith:replica */ SELECT 1", {}, three_nodes(), Reads::primary).place == Place::replica);
    CHECK(plan("/* trilith:replica */ INSERT INTO t VALUES (1)").place == Place::primary);
    CHECK(plan("/* trilith:maxlag=500ms */ SELECT 1").reason == RouteReason::no_fit_replica);
    CHECK(plan("/* trilith:maxlag=2s */ SELECT 1").place == Place::replica);
    Routing routing = three_nodes();
    routing.nodes[1].lag.reset();
    CHECK(plan("/* trilith:maxlag=2s */ SELECT 1", {}, routing).place == Place::primary);
}

}  // namespace
}  // namespace sql
