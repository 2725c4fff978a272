// What a reload would change.
#include "node/config_compare.h"

#include <string>

#include <doctest/doctest.h>

#include "node/config_cases.h"

namespace node {

namespace {

// The whole file with `from` replaced by `to`.
std::string edited(std::string_view from, std::string_view to) {
    std::string text(kWholeFile);
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

}  // namespace node
