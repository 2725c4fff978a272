// Request methods (RFC 9110 section 9) and what may be assumed of them.
#pragma once

#include <cstdint>
#include <string_view>

namespace http {

enum class Method : uint8_t {
    get,
    head,
    post,
    put,
    delete_,
    options,
    trace,
    connect,
    patch,
    other,  // any other token: the request head has its text
};

// The method of exactly this text; methods are case-sensitive (RFC 9110 section 9.1).
[[nodiscard]] Method parse_method(std::string_view text);

// "GET"; "other" for Method::other.
[[nodiscard]] std::string_view method_name(Method method);

// RFC 9110 section 9.2.1: asks for nothing but to read.
[[nodiscard]] constexpr bool is_safe(Method method) {
    return method == Method::get || method == Method::head || method == Method::options ||
           method == Method::trace;
}

// RFC 9110 section 9.2.2: sent twice it means the same as sent once, so it may be sent again after a lost
// connection.
[[nodiscard]] constexpr bool is_idempotent(Method method) {
    return is_safe(method) || method == Method::put || method == Method::delete_;
}

}  // namespace http
