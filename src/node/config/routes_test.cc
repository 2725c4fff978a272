// What is refused of routes, and how hosts and paths are stored.
#include "node/config/routes.h"

#include <string>

#include <doctest/doctest.h>

#include "node/config/cases.h"

namespace node {

namespace {

// One route of `key = "value"` to the one pool; the value stands in line 4.
std::string with_route(std::string_view key, std::string_view value) {
    return std::string(kPool) + "[[routes]]\n" + std::string(key) + " = \"" + std::string(value) +
           "\"\npool = \"origin\"\n";
}

}  // namespace

TEST_CASE("hosts are stored in lower case and as patterns") {
    for (auto [written, stored] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
             {"api.foobar.com", "api.foobar.com"},
             {"API.Foobar.com", "api.foobar.com"},
             {"*.FOOBAR.com", "*.foobar.com"},
             {"foobar.com.", "foobar.com"},
             {"localhost", "localhost"},
             {"127.0.0.1", "127.0.0.1"},
             {"[::1]", "[::1]"},
             {"a_b.c-d", "a_b.c-d"},
         }) {
        CHECK(good(with_route("host", written)).balancer.routes[0].host == stored);
    }
}

TEST_CASE("a host that no request could name is refused") {
    struct Bad {
        std::string_view host;
        std::string_view cure;
    };
    for (const Bad& bad : std::initializer_list<Bad>{
             {"*", ": leave host out for every host"},
             {"*foobar.com", ": \\\"*\\\" stands only at the beginning, before a dot"},
             {"*.*.com", ": \\\"*\\\" stands only at the beginning, before a dot"},
             {"api.*", ": \\\"*\\\" stands only at the beginning, before a dot"},
             {"*.", ""},
             {"foobar.com:80", ": write it without the port"},
             {"*.foobar.com:80", ": write it without the port"},
             {"http://foobar.com", ""},
             {"foo bar", ""},
             {"foo..bar", ""},
             {".foobar.com", ""},
             {"*.[::1]", ""},
             {"f\u00f6\u00f6.com", ""},
         }) {
        std::string cure(bad.cure);
        for (size_t at = cure.find('\\'); at != std::string::npos; at = cure.find('\\')) {
            cure.erase(at, 1);
        }
        std::string refusal =
            "4:8: routes.host: expected a host such as \"api.foobar.com\" or \"*.foobar.com\", found \"" +
            std::string(bad.host) + "\"" + cure;
        std::string text = with_route("host", bad.host);
        CAPTURE(text);
        CHECK(refusals(text) == refusal);
    }
}

TEST_CASE("paths are exact, prefixes or raw") {
    for (std::string_view path : {"/", "/*", "/v1", "/v1/", "/v1/*", "/a//b/*", "/a%20b", "/~x", "raw"}) {
        CHECK(good(with_route("path", path)).balancer.routes[0].path == path);
    }
}

TEST_CASE("a path that no normal request has is refused") {
    struct Bad {
        std::string_view path;
        std::string_view cure;
    };
    for (const Bad& bad : std::initializer_list<Bad>{
             {"v1", ": it begins with \"/\""},
             {"*", ": leave path out for every path"},
             {"/v1*", ": \"*\" stands only at the end, after a \"/\""},
             {"/*/v1", ": \"*\" stands only at the end, after a \"/\""},
             {"/v1/**", ": \"*\" stands only at the end, after a \"/\""},
             {"/v1?a=1", ": a route does not match the query, write the path without it"},
             {"/a/../b", ": requests are matched in their normal form, write \"/b\""},
             {"/a/./b/*", ": requests are matched in their normal form, write \"/a/b/*\""},
             {"/%41", ": requests are matched in their normal form, write \"/A\""},
             {"/%c3%a4/*", ": requests are matched in their normal form, write \"/%C3%A4/*\""},
         }) {
        std::string refusal =
            "4:8: routes.path: expected a path such as \"/login\" or \"/v1/*\", or \"raw\", found \"" +
            std::string(bad.path) + "\"" + std::string(bad.cure);
        std::string text = with_route("path", bad.path);
        CAPTURE(text);
        CHECK(refusals(text) == refusal);
    }
    for (std::string_view path : {"/..", "/a%2fb", "/%zz", "/a b", "/a#b", "/\u00e4"}) {
        CAPTURE(path);
        CHECK(refusals(with_route("path", path)).starts_with("4:8: routes.path: expected a path such as "));
    }
}

TEST_CASE("a wrong route is refused") {
    for (const BadFile& bad : std::initializer_list<BadFile>{
             {"[[routes]]\n", "3:1: a route needs a pool or a root; the pools are: origin"},
             {"[[routes]]\npool = \"orign\"\n", "4:8: no pool \"orign\"; did you mean \"origin\"?"},
             {"[[routes]]\npool = \"static\"\n", "4:8: no pool \"static\"; the pools are: origin"},
             {"[[routes]]\npool = 1\n", "4:8: routes.pool: expected the name of a pool, found the integer 1"},
             {"[[routes]]\nhost = 1\npool = \"origin\"\n",
              "4:8: routes.host: expected a host such as \"api.foobar.com\" or \"*.foobar.com\", found the "
              "integer 1"},
             {"[[routes]]\nhost = \"\"\npool = \"origin\"\n",
              "4:8: routes.host: expected a host such as \"api.foobar.com\" or \"*.foobar.com\", found an "
              "empty text"},
             {"[[routes]]\nmethod = \"GET\"\npool = \"origin\"\n",
              "4:1: unknown key \"method\" in [[routes]]; known keys: host, path, pool, root"},
             {"[routes]\npool = \"origin\"\n",
              "3:1: routes: expected tables, each headed [[routes]], found a table"},
             {"[pools.b]\nbackends = [\"127.0.0.1:1\"]\n",
              "1:1: 2 pools but no [[routes]]: write a [[routes]] with pool = \"origin\" for the requests "
              "that it takes, "
              "and one for each of the others"},
         }) {
        std::string text = std::string(kPool) + std::string(bad.text);
        CAPTURE(text);
        CHECK(refusals(text) == bad.refusal);
    }
    CHECK(
        refusals("routes = [1]\n[pools.a]\nbackends = [\"127.0.0.1:1\"]\n") ==
        "1:11: routes: expected tables, each headed [[routes]], found the integer 1"
    );
}

TEST_CASE("a route with a root serves files, alone or before its pool") {
    constexpr std::string_view text = R"(
[[routes]]
host = "a"
root = "public"
[[routes]]
host = "b"
root = "./public/"
[[routes]]
host = "c"
root = "/srv"
pool = "origin"
[[routes]]
pool = "origin"
)";
    Config config = good(std::string(kPool) + std::string(text));
    const auto& routes = config.balancer.routes;
    CHECK(
        routes[0] == balancer::RouteConfig{.host = "a", .path = "", .pool = balancer::kNoTarget, .handler = 0}
    );
    CHECK(routes[1].handler == 0);
    CHECK(routes[2] == balancer::RouteConfig{.host = "c", .path = "", .pool = 0, .handler = 1});
    CHECK(routes[3].handler == balancer::kNoTarget);
    web::Config alone;
    alone.root = "/public";
    web::Config before_pool;
    before_pool.root = "/srv";
    before_pool.try_files = web::default_try_files(web::Fallback::app);
    CHECK(config.route_sites == std::vector{alone, before_pool});
}

TEST_CASE("routes with roots need no pool") {
    Config config = good("[[routes]]\nroot = \"a\"\n");
    CHECK(config.balancer.pools.empty());
    CHECK(config.servers[0].roles == RoleSet{Role::balancer});
    CHECK(
        refusals("[[routes]]\nhost = \"x\"\nroot = \"a\"\n[[routes]]\nhost = \"y\"\n") ==
        "4:1: a route needs a pool or a root"
    );
    CHECK(
        refusals("[[routes]]\nroot = \"a\"\npool = \"x\"\n") ==
        "3:8: no pool \"x\"; write [pools.NAME] with backends = [\"127.0.0.1:9001\"]"
    );
}

TEST_CASE("a wrong root is refused") {
    CHECK(
        refusals("[[routes]]\nroot = 1\n") ==
        "2:8: routes.root: expected a folder such as \"public\", found the integer 1"
    );
    CHECK(
        refusals("[[routes]]\npath = \"raw\"\nroot = \"a\"\n") ==
        "3:8: routes.root: the path of a \"raw\" route is not normalised and names no file"
    );
}

TEST_CASE("an empty list of routes is none") {
    CHECK(good("routes = []\n" + std::string(kPool)) == good(kPool));
}

}  // namespace node
