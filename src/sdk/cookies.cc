#include "sdk/cookies.h"

#include <algorithm>

#include "http/text.h"

namespace trilith::sdk {

namespace {

constexpr size_t kCookieMax = 4096;

// cookie-octet, RFC 6265 section 4.1.1.
bool is_cookie_byte(char byte) {
    return byte > ' ' && byte < 0x7F && byte != '"' && byte != ',' && byte != ';' && byte != '\\';
}

// path-value and the bytes of a domain: any but controls and ";".
bool is_attribute_byte(char byte) { return byte >= ' ' && byte < 0x7F && byte != ';'; }

std::string_view same_site_name(SameSite same_site) {
    switch (same_site) {
        case SameSite::strict: return "Strict";
        case SameSite::lax: return "Lax";
        case SameSite::none: break;
    }
    return "None";
}

}  // namespace

std::optional<std::string_view> find_cookie(std::string_view field, std::string_view name) {
    while (!field.empty()) {
        std::string_view piece = field.substr(0, field.find(';'));
        field.remove_prefix(std::min(field.size(), piece.size() + 1));
        piece = http::trim(piece);
        size_t equals = piece.find('=');
        if (equals == std::string_view::npos || piece.substr(0, equals) != name) {
            continue;
        }
        std::string_view value = piece.substr(equals + 1);
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
            value = value.substr(1, value.size() - 2);
        }
        return value;
    }
    return std::nullopt;
}

core::Result<std::string> write_set_cookie(const Cookie& cookie) {
    if (cookie.name.empty() || !http::all_of(cookie.name, http::kTokenByte)) {
        return core::fail(core::ErrorKind::invalid, "a cookie's name must be a token");
    }
    if (!std::ranges::all_of(cookie.value, is_cookie_byte)) {
        return core::fail(
            core::ErrorKind::invalid,
            "the value of the cookie " + cookie.name + " has a byte that is not allowed"
        );
    }
    if (!std::ranges::all_of(cookie.path, is_attribute_byte) ||
        !std::ranges::all_of(cookie.domain, is_attribute_byte)) {
        return core::fail(
            core::ErrorKind::invalid,
            "path or domain of the cookie " + cookie.name + " has a byte that is not allowed"
        );
    }
    std::string text = cookie.name + "=" + cookie.value;
    if (!cookie.path.empty()) {
        text += "; Path=" + cookie.path;
    }
    if (!cookie.domain.empty()) {
        text += "; Domain=" + cookie.domain;
    }
    if (cookie.max_age) {
        text += "; Max-Age=" + std::to_string(cookie.max_age->count());
    }
    if (cookie.is_secure || cookie.same_site == SameSite::none) {
        text += "; Secure";
    }
    if (cookie.is_http_only) {
        text += "; HttpOnly";
    }
    text += "; SameSite=";
    text += same_site_name(cookie.same_site);
    if (text.size() > kCookieMax) {
        return core::fail(core::ErrorKind::too_large, "the cookie " + cookie.name + " is over 4096 bytes");
    }
    return text;
}

}  // namespace trilith::sdk
