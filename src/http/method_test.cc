// Methods by name and by what may be assumed of them.
#include "http/method.h"

#include <utility>

#include <doctest/doctest.h>

namespace http {
namespace {

TEST_CASE("methods are read back from their names, exactly") {
    for (uint8_t code = 0; code < std::to_underlying(Method::other); ++code) {
        const auto method = static_cast<Method>(code);
        CHECK(parse_method(method_name(method)) == method);
    }
    for (const std::string_view text : {"", "get", "GETS", "GE", "Post", "PROPFIND", "other"}) {
        CAPTURE(text);
        CHECK(parse_method(text) == Method::other);
    }
}

TEST_CASE("only methods that mean the same twice may be repeated") {
    for (const Method method :
         {Method::get, Method::head, Method::options, Method::trace, Method::put, Method::delete_}) {
        CHECK(is_idempotent(method));
    }
    for (const Method method : {Method::post, Method::patch, Method::connect, Method::other}) {
        CHECK_FALSE(is_idempotent(method));
        CHECK_FALSE(is_safe(method));
    }
    CHECK_FALSE(is_safe(Method::put));
    CHECK_FALSE(is_safe(Method::delete_));
}

}  // namespace
}  // namespace http
