// Routes: the first match in the order written wins, as a plain walk over the list would say, at a cost that
// stays flat.
#include "balancer/route_table.h"

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.h"

namespace balancer {
namespace {

RouteConfig route(std::string_view host, std::string_view path) {
    return {.host = std::string(host), .path = std::string(path)};
}

bool is_host_match(std::string_view pattern, std::string_view host) {
    if (pattern.empty()) {
        return true;
    }
    if (pattern.starts_with("*.")) {
        return host.size() > pattern.size() - 1 && host.ends_with(pattern.substr(1));
    }
    return host == pattern;
}

bool is_path_match(std::string_view pattern, std::string_view path) {
    if (pattern.empty() || pattern == "raw") {
        return true;
    }
    if (pattern.ends_with("/*")) {
        return path.starts_with(pattern.substr(0, pattern.size() - 1));
    }
    return path == pattern;
}

// The walk: an index, or routes.size() for no match.
size_t walk(const std::vector<RouteConfig>& routes, std::string_view host, std::string_view path) {
    size_t place = 0;
    while (place < routes.size() &&
           !(is_host_match(routes[place].host, host) && is_path_match(routes[place].path, path))) {
        ++place;
    }
    return place;
}

size_t walk_raw(const std::vector<RouteConfig>& routes, std::string_view host) {
    size_t place = 0;
    while (place < routes.size() && !(routes[place].path == "raw" && is_host_match(routes[place].host, host))
    ) {
        ++place;
    }
    return place;
}

size_t place_of(const std::optional<RouteMatch>& match, size_t none) { return match ? match->route : none; }

struct Look {
    std::string_view host;
    std::string_view path;
    int route;  // -1: none
};

void check_looks(const std::vector<RouteConfig>& routes, std::initializer_list<Look> looks) {
    RouteTable table(routes);
    for (const Look& look : looks) {
        CAPTURE(look.host);
        CAPTURE(look.path);
        auto match = table.match(look.host, look.path);
        CHECK((match ? static_cast<int>(match->route) : -1) == look.route);
    }
}

TEST_CASE("a prefix matches what lies below it and not its own name without the slash") {
    check_looks(
        {route("", "/v1/*"), route("", "/v1/exact"), route("", "/v2"), route("", "/deep/er/*")},
        {
            {"a.com", "/v1/", 0},
            {"a.com", "/v1/x", 0},
            {"a.com", "/v1/x/y/z", 0},
            {"a.com", "/v1/exact", 0},  // written later
            {"a.com", "/v1", -1},
            {"a.com", "/v12", -1},
            {"a.com", "/v2", 2},
            {"a.com", "/v2/", -1},
            {"a.com", "/deep/er/", 3},
            {"a.com", "/deep/er", -1},
            {"a.com", "/deep/", -1},
            {"a.com", "/", -1},
        }
    );
}

TEST_CASE("hosts match exactly, by subdomain or all") {
    check_looks(
        {route("api.foobar.com", ""), route("*.foobar.com", "/w/*"), route("*.com", "/c"), route("", "/any")},
        {
            {"api.foobar.com", "/x", 0},
            {"www.foobar.com", "/w/x", 1},
            {"a.b.foobar.com", "/w/x", 1},
            {"foobar.com", "/w/x", -1},  // no label stands for the star
            {"xfoobar.com", "/w/x", -1},
            {"foobar.com", "/c", 2},
            {"www.foobar.com", "/c", 2},
            {"com", "/c", -1},
            {"com", "/any", 3},
            {"", "/any", 3},
            {"[::1]", "/any", 3},
            {"foobar.com.evil.org", "/w/x", -1},
        }
    );
}

TEST_CASE("the order written decides, not how exact a pattern is") {
    check_looks(
        {route("", "/a/b/*"),
         route("h.com", "/a/*"),
         route("h.com", "/a/b/c"),
         route("*.com", ""),
         route("", "")},
        {
            {"h.com", "/a/b/c", 0},
            {"h.com", "/a/x", 1},
            {"h.com", "/z", 3},
            {"h.org", "/a/x", 4},
            {"h.org", "/a/b/x", 0},
        }
    );
    check_looks({route("", ""), route("h.com", "/a")}, {{"h.com", "/a", 0}});
    check_looks({route("", "/*"), route("", "")}, {{"h.com", "/", 0}, {"h.com", "/x/y", 0}});
    check_looks({route("", "/same"), route("", "/same")}, {{"h.com", "/same", 0}});
}

TEST_CASE("a raw route takes normal paths in its turn, and alone takes those that cannot be normalised") {
    std::vector<RouteConfig> routes{
        route("", "/v1/*"),
        route("files.com", "raw"),
        route("", ""),
        route("*.com", "raw")
    };
    RouteTable table(routes);
    auto normal = table.match("files.com", "/x");
    REQUIRE(normal);
    CHECK(normal->route == 1);
    CHECK(normal->is_raw);
    auto before = table.match("files.com", "/v1/x");
    REQUIRE(before);
    CHECK(before->route == 0);
    CHECK_FALSE(before->is_raw);
    auto raw = table.match_raw("files.com");
    REQUIRE(raw);
    CHECK(raw->route == 1);
    CHECK(raw->is_raw);
    CHECK(table.match_raw("other.com")->route == 3);
    CHECK_FALSE(table.match_raw("other.org"));
}

TEST_CASE("a table without routes matches nothing") {
    RouteTable table({});
    CHECK_FALSE(table.match("a.com", "/"));
    CHECK_FALSE(table.match_raw("a.com"));
}

// Small alphabets, so that patterns meet.
std::string draw_host(core::Random& random) {
    static constexpr std::string_view kLabels[] = {"a", "b", "ab", "com", "org"};
    std::string host;
    for (uint64_t labels = 1 + random.below(4); labels > 0; --labels) {
        host += (host.empty() ? "" : ".") + std::string(kLabels[random.below(std::size(kLabels))]);
    }
    return host;
}

std::string draw_path(core::Random& random) {
    static constexpr std::string_view kSegments[] = {"", "a", "b", "ab", "v1"};
    std::string path;
    for (uint64_t segments = random.below(5); segments > 0; --segments) {
        path += "/" + std::string(kSegments[random.below(std::size(kSegments))]);
    }
    return path.empty() ? "/" : path;
}

RouteConfig draw_route(core::Random& random) {
    std::string host = random.below(3) == 0 ? "" : draw_host(random);
    if (!host.empty() && random.below(2) == 0) {
        host = "*." + host;
    }
    std::string path = draw_path(random);
    switch (random.below(6)) {
        case 0: path = ""; break;
        case 1: path = "raw"; break;
        case 2:
        case 3: path += path.ends_with('/') ? "*" : "/*"; break;
        default: break;
    }
    return route(host, path);
}

TEST_CASE("random tables match as a walk over the routes does") {
    core::Random random(2026);
    size_t matched = 0;
    for (int round = 0; round < 1500; ++round) {
        std::vector<RouteConfig> routes;
        for (uint64_t count = random.below(14); count > 0; --count) {
            routes.push_back(draw_route(random));
        }
        RouteTable table(routes);
        for (int look = 0; look < 60; ++look) {
            std::string host = draw_host(random);
            std::string path = draw_path(random);
            CAPTURE(host);
            CAPTURE(path);
            auto match = table.match(host, path);
            size_t expected = walk(routes, host, path);
            REQUIRE(place_of(match, routes.size()) == expected);
            if (match) {
                REQUIRE(match->is_raw == (routes[expected].path == "raw"));
                ++matched;
            }
            REQUIRE(place_of(table.match_raw(host), routes.size()) == walk_raw(routes, host));
        }
    }
    CHECK(matched > 10000);
}

// A walk would compare 2 * 10^10 patterns here and run into the time-out of the test.
TEST_CASE("a hundred thousand routes are looked up as easily as one") {
    constexpr size_t kRoutes = 100000;
    std::vector<RouteConfig> routes;
    for (size_t place = 0; place < kRoutes; ++place) {
        std::string number = std::to_string(place);
        switch (place % 4) {
            case 0: routes.push_back(route("h" + number + ".com", "/x/*")); break;
            case 1: routes.push_back(route("", "/p" + number + "/*")); break;
            case 2: routes.push_back(route("", "/exact/" + number)); break;
            default: routes.push_back(route("*.w" + number + ".com", "")); break;
        }
    }
    RouteTable table(routes);
    core::Random random(4);
    for (int look = 0; look < 200000; ++look) {
        size_t place = random.below(kRoutes);
        std::string number = std::to_string(place);
        std::string host = place % 4 == 0   ? "h" + number + ".com"
                           : place % 4 == 3 ? "sub.w" + number + ".com"
                                            : "other.org";
        std::string path = place % 4 == 1   ? "/p" + number + "/y"
                           : place % 4 == 2 ? "/exact/" + number
                                            : "/x/y";
        REQUIRE(place_of(table.match(host, path), kRoutes) == place);
    }
    for (int look = 0; look < 100000; ++look) {
        REQUIRE_FALSE(table.match("nobody.org", "/none/of/these"));
    }
}

}  // namespace
}  // namespace balancer
