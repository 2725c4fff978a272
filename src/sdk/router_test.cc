// Routes: the more special pattern goes first whatever the order, types decide, conflicts are refused.
#include "sdk/router.h"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

namespace trilith::sdk {
namespace {

using detail::Kind;

class Named final : public detail::Handler {
public:
    Named(std::string name, std::vector<Kind> kinds) : name(std::move(name)), kinds_(std::move(kinds)) {}

    detail::Started start(Request&, std::span<const std::string_view>, Response&, Task<Response>&) override {
        return detail::Started::answered;
    }

    [[nodiscard]] std::span<const Kind> kinds() const noexcept override { return kinds_; }

    std::string name;

private:
    std::vector<Kind> kinds_;
};

struct Route {
    Method method;
    std::string_view pattern;
    std::vector<Kind> kinds;
};

core::Result<void> add(Router& router, const Route& route) {
    auto handler = std::make_unique<Named>(std::string(route.pattern), route.kinds);
    return router.add(route.method, route.pattern, std::move(handler));
}

// "pattern value value", or the methods that the path has.
std::string found(const Router& router, Method method, std::string_view path) {
    RouteMatch match = router.find(method, path);
    if (match.handler == nullptr) {
        return "methods " + std::to_string(match.methods);
    }
    std::string text = static_cast<Named*>(match.handler)->name;
    for (size_t at = 0; at < match.count; ++at) {
        text += " " + std::string(match.values[at]);
    }
    return text;
}

TEST_CASE("literal before number before text before rest, in every order of registration") {
    std::vector<Route> routes{
        {Method::get, "/", {}},
        {Method::get, "/users/me", {}},
        {Method::get, "/users/{id:int}", {Kind::integer}},
        {Method::get, "/users/{name}", {Kind::text}},
        {Method::post, "/users/{name}", {Kind::text}},
        {Method::get, "/users/{id:int}/posts/{slug}", {Kind::integer, Kind::text}},
        {Method::get, "/users/me/settings", {}},
        {Method::get, "/files/{path*}", {Kind::text}},
        {Method::get, "/files/special", {}},
        {Method::get, "/price/{value}", {Kind::number}},
    };
    for (size_t turn = 0; turn < routes.size(); ++turn) {
        std::ranges::rotate(routes, routes.begin() + 1);
        Router router;
        for (const Route& route : routes) {
            REQUIRE(add(router, route));
        }
        CHECK(found(router, Method::get, "/") == "/");
        CHECK(found(router, Method::head, "/") == "/");
        CHECK(found(router, Method::get, "/users/me") == "/users/me");
        CHECK(found(router, Method::get, "/users/7") == "/users/{id:int} 7");
        CHECK(found(router, Method::get, "/users/-7") == "/users/{id:int} -7");
        CHECK(
            found(router, Method::get, "/users/99999999999999999999") == "/users/{name} 99999999999999999999"
        );
        CHECK(found(router, Method::get, "/users/ada") == "/users/{name} ada");
        CHECK(found(router, Method::post, "/users/7") == "/users/{name} 7");
        CHECK(found(router, Method::post, "/users/me") == "/users/{name} me");
        CHECK(found(router, Method::get, "/users/7/posts/a%20b") == "/users/{id:int}/posts/{slug} 7 a%20b");
        CHECK(found(router, Method::get, "/users/x/posts/a") == "methods 0");
        CHECK(found(router, Method::get, "/users/me/settings") == "/users/me/settings");
        CHECK(found(router, Method::get, "/users/") == "methods 0");
        CHECK(found(router, Method::get, "/users") == "methods 0");
        CHECK(found(router, Method::get, "/users/me/") == "methods 0");
        CHECK(found(router, Method::get, "/files/") == "/files/{path*} ");
        CHECK(found(router, Method::get, "/files") == "methods 0");
        CHECK(found(router, Method::get, "/files/a/b//c") == "/files/{path*} a/b//c");
        CHECK(found(router, Method::get, "/files/special") == "/files/special");
        CHECK(found(router, Method::get, "/files/special/x") == "/files/{path*} special/x");
        CHECK(found(router, Method::get, "/price/1.5e2") == "/price/{value} 1.5e2");
        for (std::string_view value : {"x", "1.", ".5", "0x1", "inf", "nan", "1e999", "+1"}) {
            CHECK(found(router, Method::get, "/price/" + std::string(value)) == "methods 0");
        }
        CHECK(found(router, Method::delete_, "/users/ada") == "methods 5");  // get and post
    }
}

TEST_CASE("two handlers for the same are refused, also under other names") {
    Router router;
    REQUIRE(add(router, {Method::get, "/a/{x}", {Kind::text}}));
    CHECK(add(router, {Method::get, "/a/{y}", {Kind::text}}).error().kind() == core::ErrorKind::conflict);
    CHECK(add(router, {Method::get, "/a/{y}", {Kind::integer}}).has_value());
    CHECK(add(router, {Method::put, "/a/{y}", {Kind::text}}).has_value());
    CHECK(add(router, {Method::get, "/a/{y*}", {Kind::text}}).has_value());
    CHECK_FALSE(add(router, {Method::get, "/a/{z*}", {Kind::text}}).has_value());
}

TEST_CASE("a handler that does not fit its pattern is refused") {
    Router router;
    CHECK_FALSE(add(router, {Method::get, "/{a}", {}}).has_value());
    CHECK_FALSE(add(router, {Method::get, "/a", {Kind::text}}).has_value());
    CHECK_FALSE(add(router, {Method::get, "/{a:int}", {Kind::text}}).has_value());
    CHECK_FALSE(add(router, {Method::get, "/{a*}", {Kind::integer}}).has_value());
}

TEST_CASE("a number is read as the type's own") {
    double value = 0;
    CHECK(detail::read_value("-12.5e-1", value));
    CHECK(value == doctest::Approx(-1.25));
    CHECK(detail::read_value("0.000000000000000000000000001", value));
    CHECK(value == doctest::Approx(1e-27));
    CHECK_FALSE(detail::read_value("1e2000", value));
    CHECK_FALSE(detail::read_value(std::string(64, '1'), value));
    int8_t small = 0;
    CHECK(detail::read_value("-128", small));
    CHECK_FALSE(detail::read_value("128", small));
    CHECK_FALSE(detail::read_value(" 1", small));
    uint32_t natural = 0;
    CHECK_FALSE(detail::read_value("-1", natural));
    CHECK_FALSE(detail::read_value("", natural));
}

}  // namespace
}  // namespace trilith::sdk
