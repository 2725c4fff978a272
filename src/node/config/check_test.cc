// Contradictions: routes that can never match, sections of tiers that are not there, roles nobody has.
#include "node/config/check.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "node/config/cases.h"

namespace node {

namespace {

struct Pattern {
    std::string_view host;
    std::string_view path;
};

std::string route_text(const Pattern& pattern) {
    std::string text = "[[routes]]\n";
    text += pattern.host.empty() ? "" : "host = \"" + std::string(pattern.host) + "\"\n";
    text += pattern.path.empty() ? "" : "path = \"" + std::string(pattern.path) + "\"\n";
    return text + "pool = \"origin\"\n";
}

// Whether `later` is refused as unreachable behind `earlier`.
bool is_covered(const Pattern& earlier, const Pattern& later) {
    std::string found = refusals(std::string(kPool) + route_text(earlier) + route_text(later));
    bool is_refused = found.contains("can never match: the route of line 3 ");
    CHECK(is_refused != found.empty());
    return is_refused;
}

}  // namespace

TEST_CASE("a route is covered by an earlier one exactly where host and path both are") {
    struct Case {
        std::string_view wide;
        std::string_view narrow;
        bool covers;
    };
    const std::vector<Case> hosts{
        {"", "", true},
        {"", "a.com", true},
        {"", "*.a.com", true},
        {"a.com", "a.com", true},
        {"A.com", "a.COM", true},
        {"*.a.com", "b.a.com", true},
        {"*.a.com", "c.b.a.com", true},
        {"*.a.com", "*.b.a.com", true},
        {"*.a.com", "*.a.com", true},
        {"a.com", "", false},
        {"*.a.com", "", false},
        {"*.a.com", "a.com", false},
        {"*.a.com", "xa.com", false},
        {"b.a.com", "*.a.com", false},
        {"*.b.a.com", "*.a.com", false},
        {"*.b.a.com", "c.a.com", false},
        {"a.com", "b.com", false},
    };
    const std::vector<Case> paths{
        {"", "", true},         {"", "/a", true},          {"", "/a/*", true},     {"", "raw", false},
        {"raw", "", true},      {"raw", "raw", true},      {"raw", "/a/*", true},  {"/*", "", true},
        {"/*", "/", true},      {"/*", "/a", true},        {"/*", "/a/*", true},   {"/a/*", "/a/", true},
        {"/a/*", "/a/b", true}, {"/a/*", "/a/b/*", true},  {"/a/*", "/a/*", true}, {"/a", "/a", true},
        {"/*", "raw", false},   {"/a/*", "/a", false},     {"/a/*", "/ab", false}, {"/a/*", "/*", false},
        {"/a/*", "", false},    {"/a/b/*", "/a/*", false}, {"/a", "/a/", false},   {"/a", "/a/*", false},
        {"/a", "", false},      {"/a", "raw", false},
    };
    for (const Case& host : hosts) {
        for (const Case& path : paths) {
            CAPTURE(host.wide);
            CAPTURE(host.narrow);
            CAPTURE(path.wide);
            CAPTURE(path.narrow);
            bool covers = is_covered({host.wide, path.wide}, {host.narrow, path.narrow});
            CHECK(covers == (host.covers && path.covers));
        }
    }
}

TEST_CASE("the refusal of a route names the first route that covers it") {
    std::string text = std::string(kPool) + route_text({"a.com", "/x"}) + route_text({"*.com", ""}) +
                       route_text({"", "/v1/*"}) + route_text({"a.com", "/v1/b"});
    CHECK(
        refusals(text) ==
        "13:1: this route (host \"a.com\", path \"/v1/b\") can never match: the route of line 7 (host "
        "\"*.com\", any path) "
        "comes first and takes all that it would"
    );
}

TEST_CASE("several routes may come before a wider one") {
    std::string text = std::string(kPool) + route_text({"a.com", "/v1/*"}) + route_text({"a.com", "/v1"}) +
                       route_text({"*.a.com", "/v1/*"}) + route_text({"", "/v1/*"}) +
                       route_text({"a.com", ""}) + route_text({"", ""});
    CHECK(good(text).balancer.routes.size() == 6);
}

TEST_CASE("a section of a tier that is not built is refused, not ignored") {
    for (std::string_view section : {"router", "firewall", "vip", "monitor"}) {
        std::string name(section);
        std::string text = std::string(kPool) + "[" + name + "]\nroot = \"public\"\n";
        std::string refusal = "3:1: [" + name + "] is not supported by this version";
        CAPTURE(text);
        CHECK(refusals(text) == refusal);
    }
}

TEST_CASE("a section needs a server with its role") {
    for (const BadFile& bad : std::initializer_list<BadFile>{
             {"[balancer]\n[web]\nroot = \"a\"\n",
              "3:1: [balancer]: no server has the role \"balancer\": add it to the roles of one in [servers]"
             },
             {"[pools.a]\nbackends = [\"127.0.0.1:1\"]\n[web]\nroot = \"a\"\n",
              "3:1: [pools]: no server has the role \"balancer\": add it to the roles of one in [servers]"},
             {"[[routes]]\nroot = \"a\"\n[web]\nroot = \"a\"\n",
              "3:1: [routes]: no server has the role \"balancer\": add it to the roles of one in [servers]"},
         }) {
        std::string text = "[servers]\na = { roles = [\"web\"] }\n" + std::string(bad.text);
        CAPTURE(text);
        CHECK(refusals(text) == bad.refusal);
    }
    CHECK(
        refusals("[servers]\na = { roles = [\"balancer\"] }\n[web]\nroot = \"a\"\n" + std::string(kPool)) ==
        "3:1: [web]: no server has the role \"web\": add it to the roles of one in [servers]"
    );
}

TEST_CASE("a file that serves nothing is refused") {
    constexpr std::string_view refusal =
        "1:1: nothing to serve: write [web] with root = \"public\", [app] with command = [\"./app\"], or "
        "[pools.NAME] with backends = [\"127.0.0.1:9001\"]";
    CHECK(refusals("") == refusal);
    CHECK(refusals("[servers]\na = {}\n") == refusal);
    CHECK(refusals("site = \"a\"\n[admin]\nlisten = \"http://127.0.0.1:1\"\n") == refusal);
}

TEST_CASE("several balancers need an address to listen on") {
    constexpr std::string_view servers =
        "[servers]\na = { address = \"10.0.0.1\", roles = [\"balancer\"] }\n"
        "b = { address = \"10.0.0.2\", roles = [\"balancer\"] }\n";
    std::string text = std::string(servers) + std::string(kPool);
    CHECK(
        refusals(text) ==
        "1:1: [balancer]: listen is missing, and several servers have the role \"balancer\": write listen = "
        "[\"http://*:8080\"]"
    );
    CHECK(good(text + "[balancer]\nlisten = [\"http://*:8080\"]\n").balancer.listen.size() == 1);
}

TEST_CASE("the one balancer listens on its server's own address") {
    std::string text = "[servers]\na = { address = \"fd00::1\" }\n" + std::string(kPool);
    CHECK(good(text).balancer.listen[0].to_string() == "[fd00::1]:8080");
}

TEST_CASE("a file of many routes is read in time that grows with it") {
    std::string text(kPool);
    for (int at = 0; at < 9000; ++at) {
        text += route_text({"*.a" + std::to_string(at) + ".foobar.com", "/v1/*"});
    }
    CHECK(good(text).balancer.routes.size() == 9000);
}

}  // namespace node
