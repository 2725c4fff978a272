// What a reload would change.
#include "node/config/compare.h"

#include <string>

#include <doctest/doctest.h>

#include "node/config/cases.h"

namespace node {

namespace {

// `whole` with `from` replaced by `to`.
std::string edited(std::string_view from, std::string_view to, std::string_view whole = kWholeFile) {
    std::string text(whole);
    size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

// One change a line; those that need a restart end with " !".
std::string changes(std::string_view before, std::string_view after) {
    std::string all;
    for (const ConfigChange& change : compare(good(before), good(after))) {
        all += change.to_string() + (change.needs_restart ? " !" : "") + "\n";
    }
    return all;
}

struct Edit {
    std::string_view from;
    std::string_view to;
    std::string_view change;
};

}  // namespace

TEST_CASE("each edit of the file is one change in its words") {
    for (const Edit& edit : std::initializer_list<Edit>{
             {"weight = 50", "weight = 200", "pools.origin.backends.b2.weight: 50 → 200"},
             {"backup = true", "backup = false", "pools.origin.backends.127.0.0.1:9003.backup: true → false"},
             {"127.0.0.1:9002",
              "127.0.0.1:9009",
              "pools.origin.backends.b2.address: 127.0.0.1:9002 → 127.0.0.1:9009"},
             {"\"127.0.0.1:9001\", ", "", "pools.origin.backends: removed 127.0.0.1:9001"},
             {"fall = 3", "fall = 5", "pools.origin.health.fall: 3 → 5"},
             {"path = \"/healthz\"", "", "pools.origin.health.path: /healthz → none"},
             {"\"active-active\"", "\"active-passive\"", "pools.origin.mode: active-active → active-passive"},
             {"enabled = true", "file = \"a.log\"", "balancer.access_log.file: none → a.log"},
             {"threads   = 1 ", "threads = 2 ", "balancer.threads: 1 → 2 !"},
             {"[balancer.health]",
              "limits.connections = 5\n[balancer.health]",
              "balancer.limits.connections: 20000 → 5 !"},
             {"[balancer.health]",
              "limits.uri = \"1KiB\"\n[balancer.health]",
              "balancer.limits.uri: 8KiB → 1KiB"},
             {"[balancer.health]",
              "timeouts.idle = \"5s\"\n[balancer.health]",
              "balancer.timeouts.idle: 1m → 5s"},
             {"[balancer.health]",
              "trusted_proxies = [\"::1\"]\n[balancer.health]",
              "balancer.trusted_proxies: [] → [\"::1\"]"},
             {"8101\"]", "8101\", \"http://127.0.0.1:8102\"]", "balancer.listen: added http://127.0.0.1:8102"
             },
             {"site = \"api.foobar.com\"", "site = \"b\"", "site: api.foobar.com → b !"},
             {"address = \"127.0.0.1\"",
              "address = \"127.0.0.2\"",
              "servers.lb1.address: 127.0.0.1 → 127.0.0.2 !"},
             {"[balancer]",
              "[admin]\nlisten = \"http://127.0.0.1:0\"\n[balancer]",
              "admin.listen: added http://127.0.0.1:0 !"},
             {"[[routes]]",
              "[pools.new]\nbackends = [\"127.0.0.1:1\"]\n[[routes]]",
              "pools: added new (1 backend)"},
         }) {
        CAPTURE(edit.to);
        std::string after = edited(edit.from, edit.to);
        CHECK(changes(kWholeFile, after) == std::string(edit.change) + "\n");
    }
}

TEST_CASE("a file compared with itself has no changes") { CHECK(changes(kWholeFile, kWholeFile).empty()); }

TEST_CASE("servers that come and go need a restart") {
    std::string after = edited("lb1 = ", "lb2 = ");
    CHECK(
        changes(kWholeFile, after) ==
        "servers: removed lb1 at 127.0.0.1 !\nservers: added lb2 at 127.0.0.1 !\n"
    );
}

TEST_CASE("backends in another order are told, for active-passive follows it") {
    std::string first = "[pools.p]\nbackends = [\"127.0.0.1:1\", \"127.0.0.1:2\", \"127.0.0.1:3\"]\n";
    std::string second = "[pools.p]\nbackends = [\"127.0.0.1:1\", \"127.0.0.1:3\", \"127.0.0.1:2\"]\n";
    CHECK(
        changes(first, second) ==
        "pools.p.backends in order: 127.0.0.1:1, 127.0.0.1:2, 127.0.0.1:3 → 127.0.0.1:1, 127.0.0.1:3, "
        "127.0.0.1:2\n"
    );
    std::string shorter = "[pools.p]\nbackends = [\"127.0.0.1:1\", \"127.0.0.1:3\"]\n";
    CHECK(changes(first, shorter) == "pools.p.backends: removed 127.0.0.1:2\n");
}

TEST_CASE("routes are compared by what they match and where they lead, not by the places of pools") {
    std::string pools = "[pools.a]\nbackends = [\"127.0.0.1:1\"]\n[pools.b]\nbackends = [\"127.0.0.1:2\"]\n";
    std::string swapped =
        "[pools.b]\nbackends = [\"127.0.0.1:2\"]\n[pools.a]\nbackends = [\"127.0.0.1:1\"]\n";
    std::string one = "[[routes]]\nhost = \"x\"\npool = \"a\"\n";
    std::string other = "[[routes]]\npath = \"/v1/*\"\npool = \"b\"\n";
    CHECK(changes(pools + one + other, swapped + one + other).empty());
    CHECK(
        changes(pools + one, pools + one + other) ==
        "routes: 1 → 2 routes\nroutes: added any host /v1/* to b\n"
    );
    CHECK(
        changes(pools + one + other, pools + other + one) ==
        "routes in order: x any path, any host /v1/* → any host /v1/*, x any path\n"
    );
    CHECK(
        changes(pools + one, pools + "[[routes]]\nhost = \"x\"\npool = \"b\"\n") ==
        "routes.x any path: a → b\n"
    );
}

TEST_CASE("changes of [web] and [app] are told in their words") {
    constexpr std::string_view site = R"([servers]
lb = { address = "10.0.0.1", roles = ["balancer"] }
w1 = { address = "10.0.0.2", roles = ["web", "app"], weight = 100 }
w2 = { address = "10.0.0.3", roles = ["web", "app"] }
[web]
root = "public"
cache_control = [{ match = "*.css", value = "a" }, { match = "*.js", value = "b" }]
error_pages = { 404 = "/404.html" }
mime_types = { log = "text/x-log" }
[app]
command = ["./app"]
env = { SECRET = "s3cr3t", MODE = "x" }
)";
    for (const Edit& edit : std::initializer_list<Edit>{
             {"weight = 100", "weight = 50", "servers.w1.weight: 100 → 50"},
             {"root = \"public\"", "root = \"/srv\"", "web.root: /public → /srv"},
             {"[web]", "[web]\nport = 80", "web.port: 8081 → 80 !"},
             {"[web]", "[web]\nthreads = 1", "web.threads: 0 → 1 !"},
             {"[web]", "[web]\nhidden = true", "web.hidden: false → true"},
             {"[web]",
              "[web]\ntry = [\"{path}\"]",
              "web.try: [\"{path}\", \"{path}/\", \"@app\"] → [\"{path}\"]"},
             {"[web]", "[web]\ncache.valid = \"5s\"", "web.cache.valid: 1s → 5s"},
             {"[web]", "[web]\nlimits.connections = 5", "web.limits.connections: 20000 → 5 !"},
             {"[web]", "[web]\naccess_log.enabled = true", "web.access_log.enabled: false → true"},
             {"value = \"b\"", "value = \"c\"", "web.cache_control.*.js: b → c"},
             {"{ match = \"*.css\", value = \"a\" }, ", "", "web.cache_control: removed *.css (a)"},
             {"404 = \"/404.html\"", "404 = \"/a\"", "web.error_pages.404: /404.html → /a"},
             {"log = \"text/x-log\"", "", "web.mime_types: removed log (text/x-log)"},
             {"[\"./app\"]", "[\"./app\", \"-x\"]", "app.command: [\"./app\"] → [\"./app\", \"-x\"] !"},
             {"s3cr3t", "other", "app.env.SECRET: one value → another !"},
             {", MODE = \"x\"", "", "app.env: removed MODE !"},
             {"[app]", "[app]\ninstances = 2", "app.instances: 0 → 2 !"},
             {"[app]", "[app]\nstop.signal = \"SIGINT\"", "app.stop.signal: SIGTERM → SIGINT !"},
             {"[app]", "[app]\nhealth.path = \"/up\"", "app.health.path: /healthz → /up !"},
             {"[app]", "[app]\nlimits.memory = \"1GiB\"", "app.limits.memory: 0 → 1GiB !"},
             {"[app]", "[app]\nrestart.settled = \"1s\"", "app.restart.settled: 30s → 1s !"},
             {"[web]", "[balancer]\nhealth.fall = 9\n[web]", "pools.web.health.fall: 3 → 9"},
         }) {
        CAPTURE(edit.to);
        CHECK(changes(site, edited(edit.from, edit.to, site)) == std::string(edit.change) + "\n");
    }
    CHECK(changes(site, site).empty());
}

TEST_CASE("web servers in another order are told, for active-passive follows it") {
    std::string w1 = "w1 = { address = \"10.0.0.2\", roles = [\"web\"] }\n";
    std::string w2 = "w2 = { address = \"10.0.0.3\", roles = [\"web\"] }\n";
    std::string start = "[servers]\nlb = { address = \"10.0.0.1\", roles = [\"balancer\"] }\n";
    std::string end = "[web]\nroot = \"a\"\n";
    CHECK(
        changes(start + w1 + w2 + end, start + w2 + w1 + end) ==
        "pools.web.backends in order: w1, w2 → w2, w1\n"
    );
}

TEST_CASE("a tier that comes is told by the roles") {
    CHECK(
        changes("[web]\nroot = \"a\"\n", "[web]\nroot = \"a\"\n[app]\ncommand = \"a\"\n") ==
        "servers.local.roles: web → web, app !\n"
        "web.try: [\"{path}\", \"{path}/\", \"=404\"] → [\"{path}\", \"{path}/\", \"@app\"]\n"
    );
}

TEST_CASE("a route's root is compared like its pool") {
    std::string route = std::string(kPool) + "[[routes]]\n";
    std::string pool = "pool = \"origin\"\n";
    std::string root = "root = \"a\"\n";
    CHECK(changes(route + pool, route + root) == "routes.any host any path: origin → the files of /a\n");
    CHECK(
        changes(route + root, route + root + pool) ==
        "routes.any host any path: the files of /a → the files of /a, then origin\n"
    );
    CHECK(
        changes(route + root, route + "root = \"b\"\n") ==
        "routes.any host any path: the files of /a → the files of /b\n"
    );
    CHECK(changes(route + root, route + "root = \"/a/\"\n").empty());
}

TEST_CASE("of a SQL router all but engine, listen and name is applied while it runs") {
    const std::string before = R"(
[database]
listen = "127.0.0.1:3306"
nodes = ["10.0.0.5:3306", "10.0.0.6:3306"]
account = { user = "trilith" }
max_lag = "5s"
pool.connections = 50
)";
    for (const Edit& edit : std::initializer_list<Edit>{
             {"max_lag = \"5s\"", "max_lag = \"1s\"", "database.max_lag: 5s → 1s"},
             {"max_lag = \"5s\"", "reads = \"all\"", "database.reads: replicas → all"},
             {"max_lag = \"5s\"", "hold = \"1s\"", "database.hold: 10s → 1s"},
             {"max_lag = \"5s\"",
              "read_your_writes.wait = \"0s\"",
              "database.read_your_writes.wait: 50ms → 0s"},
             {"\"trilith\"", "\"watch\"", "database.account.user: trilith → watch"},
             {"connections = 50", "connections = 60", "database.pool.connections: 50 → 60"},
             {"pool.connections = 50",
              "timeouts.idle = \"1s\"\npool.connections = 50",
              "database.timeouts.idle: 8h → 1s"},
             {", \"10.0.0.6:3306\"", "", "database.nodes: removed 10.0.0.6:3306"},
             {"[\"10.0.0.5:3306\"",
              "[\"10.0.0.7:3306\", \"10.0.0.5:3306\"",
              "database.nodes: added 10.0.0.7:3306"},
             {"\"10.0.0.6:3306\"",
              "{ address = \"10.0.0.6:3306\", weight = 5 }",
              "database.nodes.10.0.0.6:3306.weight: 100 → 5"},
             {"127.0.0.1:3306",
              "127.0.0.1:3307",
              R"(database.listen: ["127.0.0.1:3306"] → ["127.0.0.1:3307"] !)"},
             {"listen = ", "name = \"shop\"\nlisten = ", "database.name: none → shop !"},
         }) {
        std::string told = changes(before, edited(edit.from, edit.to, before));
        bool is_lag_gone = !edit.change.contains("max_lag") && edit.from.contains("max_lag");
        CHECK(told == (is_lag_gone ? "" : "") + std::string(edit.change) + "\n");
    }
}

}  // namespace node
