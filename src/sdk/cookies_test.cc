// Cookies: what browsers send is found, what is written is allowed.
#include "sdk/cookies.h"

#include <doctest/doctest.h>

namespace trilith::sdk {
namespace {

TEST_CASE("the first cookie of the name is found") {
    struct Row {
        std::string_view field;
        std::optional<std::string_view> value;
    };
    constexpr Row kRows[] = {
        {"a=1", "1"},
        {"b=2; a=1", "1"},
        {"a=1; a=2", "1"},
        {"b=2;a=1", "1"},
        {" a=1 ;b=2", "1"},
        {"a=", ""},
        {"a=x=y", "x=y"},
        {"a=\"q\"", "q"},
        {"a=\"", "\""},
        {"aa=1", std::nullopt},
        {"A=1", std::nullopt},
        {"a", std::nullopt},
        {"", std::nullopt},
        {";;;", std::nullopt},
        {"b=a=1", std::nullopt},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.field);
        CHECK(find_cookie(row.field, "a") == row.value);
    }
}

TEST_CASE("a cookie is written with what protects it by default") {
    CHECK(*write_set_cookie({.name = "a", .value = "1"}) == "a=1; Path=/; HttpOnly; SameSite=Lax");
    Cookie all{
        .name = "s",
        .value = "x.y_z",
        .max_age = std::chrono::hours(1),
        .path = "/p",
        .domain = "example.org",
        .same_site = SameSite::none,
        .is_http_only = false,
    };
    CHECK(
        *write_set_cookie(all) == "s=x.y_z; Path=/p; Domain=example.org; Max-Age=3600; Secure; SameSite=None"
    );
    CHECK(write_set_cookie({.name = "a", .max_age = std::chrono::seconds(0)})->contains("Max-Age=0"));
}

TEST_CASE("a cookie that would be read as something else is refused") {
    for (const Cookie& cookie : {
             Cookie{.name = "", .value = "1"},
             Cookie{.name = "a b", .value = "1"},
             Cookie{.name = "a=b", .value = "1"},
             Cookie{.name = "a", .value = "1; Domain=evil.example"},
             Cookie{.name = "a", .value = "1\r\nX: y"},
             Cookie{.name = "a", .value = "\xC3\xA4"},
             Cookie{.name = "a", .value = "1", .path = "/;x"},
             Cookie{.name = "a", .value = "1", .domain = "a\nb"},
             Cookie{.name = "a", .value = std::string(4096, 'x')},
         }) {
        CAPTURE(cookie.value);
        CHECK_FALSE(write_set_cookie(cookie).has_value());
    }
}

}  // namespace
}  // namespace trilith::sdk
