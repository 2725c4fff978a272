// The verbs against servers that answer as each test says: what is asked, printed, and returned.
#include "node/verbs/client_verbs.h"

#include <chrono>
#include <format>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "node/control/json.h"
#include "node/control/scripted_os.h"
#include "node/status/json.h"
#include "node/status/sample_status.h"
#include "node/verbs/order_verbs.h"
#include "node/verbs/status_command.h"
#include "node/verbs/verb_stage.h"

namespace node {

namespace {

using namespace std::chrono_literals;

std::string changed(const std::string& sentence) {
    BackendChange change{.backend = "origin/b2", .sentence = sentence};
    return http_answer(200, format_changes({.changes = {change}, .server = {}, .remarks = {}}));
}

// A status in which origin/b2 is in this state.
std::string status_with(const std::string& state, int64_t in_flight) {
    ServerStatus status = sample_status();
    status.pools[0].backends[1].state = state;
    status.pools[0].backends[1].in_flight = in_flight;
    return status_answer(status);
}

const WeightOptions kWeight{.site = {}, .name = "b2", .weight = 200};

DrainOptions drain_of_b2() { return {.site = {}, .name = "b2"}; }

SiteOptions as_json() { return {.directories = {}, .site = "", .format = OutputFormat::json}; }

}  // namespace

TEST_CASE("an order goes to the server and its sentence to the reader") {
    Stage stage;
    stage.add("a.com", "lb1", {changed("weight 50 → 200 (configured 50)")});
    CHECK(run(kWeight, stage.console()) == 0);
    CHECK(stage.out == "origin/b2: weight 50 → 200 (configured 50)\n");
    CHECK(stage.err == "");
    CHECK(stage.asked == std::vector<std::string>{R"(lb1 POST /v1/weight {"name":"b2","weight":200})"});
}

TEST_CASE("each verb asks for what it says") {
    Stage stage;
    stage.add("a.com", "lb1", {changed("done")});
    CHECK(run(DisableOptions{.site = {}, .name = "b2"}, stage.console()) == 0);
    CHECK(run(EnableOptions{.site = {}, .name = "b2"}, stage.console()) == 0);
    CHECK(run(UndoOptions{.site = {}, .name = "b2"}, stage.console()) == 0);
    CHECK(run(UndoOptions{.site = {}, .name = ""}, stage.console()) == 0);
    CHECK(run(DrainOptions{.site = {}, .name = "b2", .is_waiting = false}, stage.console()) == 0);
    CHECK(
        stage.asked ==
        std::vector<std::string>{
            R"(lb1 POST /v1/disable {"name":"b2"})",
            R"(lb1 POST /v1/enable {"name":"b2"})",
            R"(lb1 POST /v1/undo {"name":"b2"})",
            R"(lb1 POST /v1/undo {"all":true})",
            R"(lb1 POST /v1/drain {"name":"b2"})",
        }
    );
}

TEST_CASE("several servers that say the same say it once, else each by its name") {
    Stage stage;
    stage.add("a.com", "lb1", {changed("weight 50 → 200")});
    stage.add(
        "a.com",
        "lb2",
        {changed("weight 50 → 200"), changed("weight 7 → 200"), refused(500, "disk full")}
    );
    CHECK(run(kWeight, stage.console()) == 0);
    CHECK(stage.out == "origin/b2: weight 50 → 200\n");
    stage.out.clear();
    CHECK(run(kWeight, stage.console()) == 0);
    CHECK(stage.out == "lb1: origin/b2: weight 50 → 200\nlb2: origin/b2: weight 7 → 200\n");
    stage.out.clear();
    CHECK(run(kWeight, stage.console()) == 1);
    CHECK(stage.out == "lb1: origin/b2: weight 50 → 200\n");
    CHECK(stage.err == "trilith: lb2: disk full\n");
}

TEST_CASE("a refusal is the server's sentence, once, and exit 1") {
    Stage stage;
    for (const char* server : {"lb1", "lb2"}) {
        stage.add("a.com", server, {refused(404, "no backend is named \"b2\"")});
    }
    CHECK(run(kWeight, stage.console()) == 1);
    CHECK(stage.out == "");
    CHECK(stage.err == "trilith: no backend is named \"b2\"\n");
}

TEST_CASE("a server that does not know the backend is not concerned where another knows it") {
    Stage stage;
    stage.add("a.com", "lb1", {changed("done")});
    stage.add("a.com", "web1", {refused(404, "no backend is named \"b2\"")});
    CHECK(run(kWeight, stage.console()) == 0);
    CHECK(stage.out == "origin/b2: done\n");
    CHECK(stage.err == "");
}

TEST_CASE("a server that was killed is told of, and does not stop the others") {
    Stage stage;
    stage.add("a.com", "lb1", {""}).connect_error = ECONNREFUSED;
    stage.add("a.com", "lb2", {changed("done")});
    CHECK(run(kWeight, stage.console()) == 0);
    CHECK(stage.out == "origin/b2: done\n");
    CHECK(stage.err == "trilith: lb1 does not run and was not told\n");
}

TEST_CASE("nothing that runs is exit 1 and says how to start it; several sites are exit 2") {
    Stage stage;
    CHECK(run(kWeight, stage.console()) == 1);
    CHECK(stage.err.contains("no site runs"));
    CHECK(stage.err.contains("trilith up"));
    CHECK(stage.err.contains("the user who started it"));
    CHECK(std::ranges::count(stage.err, '\n') == 1);

    stage.add("a.com", "lb1", {changed("a")});
    stage.add("b.com", "lb1", {changed("b")}).connect_error = ECONNREFUSED;
    CHECK(run(kWeight, stage.console()) == 0);
    CHECK(stage.out == "origin/b2: a\n");
    stage.err.clear();
    stage.add("b.com", "lb1", {changed("b")}).connect_error = 0;
    CHECK(run(kWeight, stage.console()) == 2);
    CHECK(stage.err == "trilith: several sites run: a.com, b.com; choose one with --site\n");
    stage.out.clear();
    WeightOptions weight = kWeight;
    weight.site.site = "b.com";
    CHECK(run(weight, stage.console()) == 0);
    CHECK(stage.out == "origin/b2: b\n");
    weight.site.site = "c.com";
    CHECK(run(weight, stage.console()) == 1);
    CHECK(stage.err.contains("the site c.com does not run"));
}

TEST_CASE("another user's socket is a matter of permission, not of a site that does not run") {
    Stage stage;
    stage.add("a.com", "lb1", {""}).connect_error = EACCES;
    CHECK(run(kWeight, stage.console()) == 1);
    CHECK(stage.err.contains("another user"));
}

TEST_CASE("as JSON the answers stand side by side") {
    Stage stage;
    stage.add("a.com", "lb1", {changed("x")});
    stage.add("a.com", "lb2", {refused(500, "no")});
    CHECK(run(WeightOptions{.site = as_json(), .name = "b2", .weight = 1}, stage.console()) == 1);
    CHECK(
        stage.out == R"({"servers":[{"server":"lb1","status":200,)"
                     R"("reply":{"changed":[{"backend":"origin/b2","sentence":"x"}]}},)"
                     R"({"server":"lb2","status":500,"reply":{"error":"no"}}]})"
                     "\n"
    );
}

TEST_CASE("drain waits for the last request and says how many there are") {
    Stage stage;
    stage.add(
        "a.com",
        "lb1",
        {changed("draining"),
         status_with("draining", 2),
         status_with("draining", 2),
         status_with("draining", 1),
         status_with("drained", 0)}
    );
    CHECK(run(drain_of_b2(), stage.console()) == 0);
    CHECK(
        stage.out ==
        "origin/b2: draining\norigin/b2: 2 requests run on it\norigin/b2: 1 request runs on it\n"
        "origin/b2 is drained: no request runs on it\n"
    );
    CHECK(stage.err == "");
    CHECK(stage.asked.size() == 5);
}

// A status in which database/10.0.0.6:3306 is draining, of so many statements, as a node of this state.
std::string status_with_node(const std::string& state, int64_t statements) {
    ServerStatus status = sample_status();
    RouterNodeStatus& node = status.router->nodes[1];
    node.state = state;
    node.override.admin = "drain";
    node.connections = statements + 4;
    node.connections_idle = 4;
    return status_answer(status);
}

TEST_CASE("a drain of a database node waits for its statements, unless it is the primary") {
    struct Row {
        std::vector<std::string> statuses;
        std::string said;
    };
    const std::string name = "database/10.0.0.6:3306";
    const Row rows[] = {
        {{status_with_node("replica", 1), status_with_node("replica", 0)},
         name + ": 1 statement runs on it\n" + name + " is drained: no statement runs on it\n"},
        {{status_with_node("primary", 3)}, ""},
    };
    for (const Row& row : rows) {
        Stage stage;
        BackendChange change{.backend = name, .sentence = "draining"};
        std::vector<std::string> answers{
            http_answer(200, format_changes({.changes = {change}, .server = {}, .remarks = {}}))
        };
        answers.insert(answers.end(), row.statuses.begin(), row.statuses.end());
        stage.add("a.com", "lb1", answers);
        CHECK(run(DrainOptions{.site = {}, .name = name}, stage.console()) == 0);
        CHECK(stage.out == name + ": draining\n" + row.said);
    }
}

TEST_CASE("a drain of a database node that a reload removes is over, in vain") {
    const std::string name = "database/10.0.0.6:3306";
    Stage stage;
    BackendChange change{.backend = name, .sentence = "draining"};
    stage.add(
        "a.com",
        "lb1",
        {http_answer(200, format_changes({.changes = {change}, .server = {}, .remarks = {}})),
         status_with_node("replica", 1),
         status_with_node("removed", 1)}
    );
    CHECK(run(DrainOptions{.site = {}, .name = name}, stage.console()) == 1);
    CHECK(stage.err.contains(name + " is not there any more: a reload removed it"));
}

TEST_CASE("drain waits for every server") {
    Stage stage;
    stage.add("a.com", "lb1", {changed("draining"), status_with("drained", 0)});
    stage.add(
        "a.com",
        "lb2",
        {changed("draining"),
         status_with("draining", 1),
         status_with("draining", 1),
         status_with("drained", 0)}
    );
    CHECK(run(drain_of_b2(), stage.console()) == 0);
    CHECK(stage.out.ends_with("origin/b2: 1 request runs on it\norigin/b2 is drained: no request runs on it\n"
    ));
    CHECK(stage.asked.size() == 8);
}

TEST_CASE("a drain that takes too long is exit 1 and goes on without us") {
    Stage stage;
    stage.add("a.com", "lb1", {changed("draining"), status_with("draining", 3)});
    core::Instant begin = stage.os.now();
    DrainOptions options = drain_of_b2();
    options.timeout = 10s;
    CHECK(run(options, stage.console()) == 1);
    CHECK(stage.err == "trilith: origin/b2: 3 requests run on it after 10s; it stays draining\n");
    CHECK_FALSE(stage.out.contains("is drained"));
    CHECK(stage.os.now() - begin >= 10s);
    CHECK(stage.os.now() - begin < 11s);
}

TEST_CASE("a drain that somebody takes back, or whose server ends, is exit 1 and says so") {
    for (const std::string& second :
         {status_with("up", 0), status_with("disabled", 3), std::string(), status_answer({})}) {
        CAPTURE(second.substr(0, 40));
        Stage stage;
        stage.add("a.com", "lb1", {changed("draining"), status_with("draining", 3), second});
        CHECK(run(drain_of_b2(), stage.console()) == 1);
        CHECK(stage.err.starts_with("trilith: "));
        CHECK_FALSE(stage.out.contains("is drained"));
    }
}

TEST_CASE("a drain that is refused waits for nothing") {
    Stage stage;
    stage.add("a.com", "lb1", {refused(404, "no backend is named \"b2\"")});
    CHECK(run(drain_of_b2(), stage.console()) == 1);
    CHECK(stage.asked.size() == 1);
    CHECK_FALSE(stage.out.contains("drained"));
}

TEST_CASE("reload prints what changed, or why nothing did") {
    const ReloadReply nothing;
    const ReloadReply applied{.changes = {"a: 1 → 2", "b: added c"}, .needs_restart = {}, .errors = {}};
    const ReloadReply restart{.changes = {}, .needs_restart = {"balancer.threads"}, .errors = {}};
    const ReloadReply wrong{.changes = {}, .needs_restart = {}, .errors = {"a.toml:1:2: x", "a.toml:3:4: y"}};
    Stage stage;
    stage.add(
        "a.com",
        "lb1",
        {
            http_answer(200, format_reload(nothing)),
            http_answer(200, format_reload(applied)),
            http_answer(409, format_reload(restart)),
            http_answer(422, format_reload(wrong)),
            http_answer(500, format_error("out of memory")),
        }
    );
    const ReloadOptions reload;
    CHECK(run(reload, stage.console()) == 0);
    CHECK(stage.out == "nothing has changed\n");
    stage.out.clear();
    CHECK(run(reload, stage.console()) == 0);
    CHECK(stage.out == "applied:\n  a: 1 → 2\n  b: added c\n");
    stage.out.clear();
    CHECK(run(reload, stage.console()) == 1);
    CHECK(stage.err == "needs restart: balancer.threads; nothing was applied\n");
    stage.err.clear();
    CHECK(run(reload, stage.console()) == 1);
    CHECK(stage.err == "a.toml:1:2: x\na.toml:3:4: y\n");
    stage.err.clear();
    CHECK(run(reload, stage.console()) == 1);
    CHECK(stage.err == "out of memory; nothing was applied\n");
    CHECK(stage.out == "");
    CHECK(stage.asked.front() == "lb1 POST /v1/reload {}");
}

TEST_CASE("status is a table, or the servers' own JSON") {
    Stage stage;
    ServerStatus second = sample_status();
    second.server = "lb2";
    stage.add("a.com", "lb1", {status_answer()});
    stage.add("a.com", "lb2", {status_answer(second)});
    CHECK(run(StatusOptions{}, stage.console()) == 0);
    CHECK(stage.out.find("lb1") < stage.out.find("lb2"));
    CHECK_FALSE(stage.out.contains('\x1b'));
    stage.out.clear();
    CHECK(run(StatusOptions{.site = as_json()}, stage.console()) == 0);
    CHECK(stage.out == "{\"servers\":[" + status_json(sample_status()) + "," + status_json(second) + "]}\n");
}

TEST_CASE("a server that fails to say its status is named, and the others are shown") {
    Stage stage;
    stage.add("a.com", "lb1", {refused(500, "no")});
    stage.add("a.com", "lb2", {status_answer()});
    CHECK(run(StatusOptions{}, stage.console()) == 1);
    CHECK(stage.err == "trilith: lb1 does not answer: no\n");
    CHECK(stage.out.contains("api.foobar.com"));
}

TEST_CASE("watching draws anew each second within the screen, until the site is gone") {
    Stage stage;
    ServerStatus later = sample_status();
    later.uptime += 1s;
    later.requests_total += 50;
    stage.add("a.com", "lb1", {status_answer(), status_answer(later), ""});
    stage.console().is_terminal = true;
    core::Instant begin = stage.os.now();
    CHECK(run(StatusOptions{.site = {}, .is_watching = true, .is_table_wanted = true}, stage.console()) == 1);
    CHECK(stage.os.now() - begin >= 2s);
    CHECK(stage.out.contains("(50/s)"));
    CHECK(stage.out.starts_with("\x1b[2J\x1b[H"));
    // Two frames of the nine lines that fit above the last row.
    size_t lines = 0;
    for (size_t at = stage.out.find("\x1b[K\n"); at != std::string::npos;
         at = stage.out.find("\x1b[K\n", at + 1)) {
        ++lines;
    }
    CHECK(lines == 18);
}

TEST_CASE("a restart where no program runs names the server that was chosen") {
    Stage stage;
    stage.add("a.com", "lb1", {refused(404, "no application runs here")});
    stage.add("a.com", "lb2", {refused(404, "no application runs here")});
    CHECK(run(RestartOptions{.site = {}, .server = {}}, stage.console()) == 1);
    CHECK(stage.err == "trilith: no server of the site that runs has an application\n");
    stage.err.clear();
    CHECK(run(RestartOptions{.site = {}, .server = "lb1"}, stage.console()) == 1);
    CHECK(stage.err == "trilith: lb1 runs no application\n");
}

TEST_CASE("metrics are one server's, word for word") {
    Stage stage;
    stage.add("a.com", "lb1", {http_answer(200, "a 1\n")});
    CHECK(run(MetricsOptions{}, stage.console()) == 0);
    CHECK(stage.out == "a 1\n");
    stage.add("a.com", "lb2", {http_answer(200, "a 2\n")});
    CHECK(run(MetricsOptions{}, stage.console()) == 2);
    CHECK(stage.err.contains("--server"));
    stage.out.clear();
    CHECK(run(MetricsOptions{.site = {}, .server = "lb2"}, stage.console()) == 0);
    CHECK(stage.out == "a 2\n");
    CHECK(run(MetricsOptions{.site = {}, .server = "lb3"}, stage.console()) == 1);
    CHECK(stage.err.contains("lb1, lb2"));
}

}  // namespace node
