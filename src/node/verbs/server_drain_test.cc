// `trilith drain SERVER` against servers that answer as each test says.
#include "node/verbs/server_drain.h"

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "node/verbs/order_verbs.h"
#include "node/verbs/verb_stage.h"

namespace node {

namespace {

using namespace std::chrono_literals;

const DrainOptions kDrainWeb1{.site = {}, .name = "web1"};

std::string reply_of_server(std::vector<std::string> backends, std::vector<std::string> remarks = {}) {
    OrderReply reply{.changes = {}, .server = "web1", .remarks = std::move(remarks)};
    for (std::string& backend : backends) {
        reply.changes.push_back({.backend = std::move(backend), .sentence = "draining"});
    }
    return http_answer(200, format_changes(reply));
}

BackendStatus draining_backend(std::string name, int64_t in_flight) {
    BackendStatus backend = sample_backend(std::move(name));
    backend.state = in_flight == 0 ? "drained" : "draining";
    backend.override.admin = "drain";
    backend.in_flight = in_flight;
    return backend;
}

// A balancer with web1 draining, and no database.
ServerStatus balancer_status(int64_t in_flight) {
    ServerStatus status = sample_status();
    status.pools[0].name = "web";
    status.pools[0].backends = {draining_backend("web1", in_flight), sample_backend("web2")};
    status.router.reset();
    return status;
}

// A server that leads a cluster whose primary is there, and whose router drains database/web1.
ServerStatus leader_status(const std::string& primary, int64_t statements = 0) {
    ServerStatus status = balancer_status(0);
    status.server = "web2";
    status.router = sample_router();
    status.router->nodes[0].name = "web1";
    status.router->nodes[0].state = primary == "web1" ? "primary" : "replica";
    status.router->nodes[0].override.admin = "drain";
    status.router->nodes[0].waiting = 0;
    status.router->nodes[0].connections = statements;
    status.router->nodes[0].connections_idle = 0;
    status.router->nodes[1].name = "web2";
    status.router->nodes[1].override = {};
    status.database.emplace();
    status.database->epoch = 3;
    status.database->primary = primary;
    status.database->leads = true;
    for (const char* server : {"web1", "web2", "web3"}) {
        status.database->servers.push_back({.server = server, .acknowledges = true});
    }
    return status;
}

std::string order_answer(const std::string& sentence, const std::string& error) {
    ServerStatus status = leader_status(error.empty() ? "web2" : "web1");
    status.database->order = {.number = 7, .verb = "switchover", .sentence = sentence, .error = error};
    return status_answer(status);
}

}  // namespace

TEST_CASE("a server's drain tells each tier once, waits for it, and says that the server can go") {
    Stage stage;
    stage.add(
        "a.com",
        "lb1",
        {reply_of_server({"web/web1"}),
         status_answer(balancer_status(1)),
         status_answer(balancer_status(1)),
         status_answer(balancer_status(0))}
    );
    stage.add("a.com", "lb2", {reply_of_server({"web/web1"}), status_answer(balancer_status(0))});
    stage.add("a.com", "web2", {reply_of_server({}), status_answer(ServerStatus{})});
    CHECK(run(kDrainWeb1, stage.console()) == 0);
    CHECK(
        stage.out ==
        "web/web1: draining\nweb/web1: 1 request runs on it\nweb/web1 is drained: no request runs on it\n"
        "web1 can be switched off\n"
    );
    CHECK(stage.err == "");
}

TEST_CASE("the primary moves away first, and databases are told of last") {
    Stage stage;
    stage.add(
        "a.com",
        "web2",
        {reply_of_server({"database/web1", "web/web1"}),
         status_answer(leader_status("web1")),
         http_answer(200, R"({"order":7})"),
         order_answer("web2 is primary", ""),
         status_answer(leader_status("web2", 2)),
         status_answer(leader_status("web1")),  // as a router that has not heard of it yet
         status_answer(leader_status("web2", 0))}
    );
    CHECK(run(kDrainWeb1, stage.console()) == 0);
    CHECK(
        stage.out ==
        "web/web1: draining\ndatabase/web1: draining\nweb2 is primary\n"
        "web/web1 is drained: no request runs on it\n"
        "database/web1: 1 statement runs on it\ndatabase/web1 is drained: no statement runs on it\n"
        "web1 can be switched off\n"
    );
    REQUIRE(stage.asked.size() > 2);
    CHECK(stage.asked[2] == "web2 POST /v1/switchover {}");
}

TEST_CASE("the primary does not move to a server that is drained, too") {
    ServerStatus status = leader_status("web1");
    status.router->nodes[1].override.admin = "drain";
    {
        Stage stage;
        stage.add(
            "a.com",
            "web2",
            {reply_of_server({"database/web1"}),
             status_answer(status),
             http_answer(200, R"({"order":7})"),
             order_answer("web3 is primary", ""),
             status_answer(leader_status("web3"))}
        );
        CHECK(run(kDrainWeb1, stage.console()) == 0);
        REQUIRE(stage.asked.size() > 2);
        CHECK(stage.asked[2] == R"(web2 POST /v1/switchover {"to":"web3"})");
    }
    status.database->servers.pop_back();
    Stage stage;
    stage.add("a.com", "web2", {reply_of_server({"database/web1"}), status_answer(status)});
    CHECK(run(kDrainWeb1, stage.console()) == 1);
    CHECK(stage.err.contains("every other database server is drained or disabled, too"));
    CHECK(stage.asked.size() == 2);
}

TEST_CASE("a primary that cannot move is told of, with what stays drained") {
    for (bool is_refused_at_once : {true, false}) {
        Stage stage;
        std::string reason = "web2 does not answer";
        stage.add(
            "a.com",
            "web2",
            {reply_of_server({"web/web1", "database/web1"}),
             status_answer(leader_status("web1")),
             is_refused_at_once ? refused(409, reason) : http_answer(200, R"({"order":7})"),
             order_answer("", reason)}
        );
        CHECK(run(kDrainWeb1, stage.console()) == 1);
        CHECK(
            stage.err ==
            "trilith: the primary cannot move away from web1: web2 does not answer; web/web1 and "
            "database/web1 stay drained until `trilith enable web1`\n"
        );
        CHECK_FALSE(stage.out.contains("switched off"));
    }
}

TEST_CASE("what reaches the server by other ways is said") {
    Stage stage;
    stage.add(
        "a.com",
        "lb1",
        {reply_of_server({"web/web1"}, {"web1 is a balancer"}), status_answer(balancer_status(0))}
    );
    stage.add("a.com", "web2", {reply_of_server({}, {"web1 is a balancer"}), status_answer(ServerStatus{})});
    CHECK(run(kDrainWeb1, stage.console()) == 0);
    CHECK(stage.out.ends_with("web1 can be switched off, but for this:\n  web1 is a balancer\n"));
}

TEST_CASE("a server that nobody sends anything to is not drained") {
    Stage stage;
    stage.add("a.com", "lb1", {reply_of_server({}, {"web1 is a balancer"})});
    CHECK(run(kDrainWeb1, stage.console()) == 1);
    CHECK(
        stage.err ==
        "trilith: no server that runs sends anything to web1: there is nothing to drain; web1 is a balancer\n"
    );
    CHECK(run(EnableOptions{.site = {}, .name = "web1"}, stage.console()) == 0);
    CHECK(stage.out.contains("nothing to change\n"));
}

TEST_CASE("a server that somebody does not drain cannot be switched off") {
    Stage stage;
    stage.add("a.com", "lb1", {reply_of_server({"web/web1"}), status_answer(balancer_status(0))});
    stage.add("a.com", "lb2", {refused(500, "disk full")});
    CHECK(run(kDrainWeb1, stage.console()) == 1);
    CHECK(stage.err == "trilith: lb2: disk full\n");
    CHECK(stage.out == "web/web1: draining\n");
}

TEST_CASE("a time-out counts from the order, and --no-wait only moves the primary") {
    Stage stage;
    stage.add("a.com", "lb1", {reply_of_server({"web/web1"}), status_answer(balancer_status(3))});
    DrainOptions options = kDrainWeb1;
    options.timeout = 10s;
    CHECK(run(options, stage.console()) == 1);
    CHECK(stage.err == "trilith: web/web1: 3 requests run on it after 10s; it stays draining\n");
    stage.out.clear();
    options.is_waiting = false;
    stage.add("a.com", "lb1", {reply_of_server({"web/web1"}), status_answer(balancer_status(3))});
    CHECK(run(options, stage.console()) == 0);
    CHECK(stage.out == "web/web1: draining\n");
}

}  // namespace node
