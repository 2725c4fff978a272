// Reads and writes listening addresses.
#include "node/config/listen.h"

#include <algorithm>
#include <charconv>
#include <format>

#include "core/panic.h"
#include "node/config/toml.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;
using net::Address;

namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::string_view kForm =
    "http://ADDRESS:PORT, such as \"http://127.0.0.1:8080\" or \"http://*:8080\"";

std::unexpected<core::Error> refuse_form(std::string_view text) {
    return fail(ErrorKind::invalid, "expected " + std::string(kForm) + ", found " + in_quotes(text));
}

// Address::parse refuses port 0, which means a free port here and nowhere else.
Result<Address> parse_host(std::string_view host) {
    bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (host == "*" || is_bracketed) {
        auto address = Address::parse_host(host == "*" ? "::" : host.substr(1, host.size() - 2));
        if (address && address->family() == AF_INET6) {
            return address;
        }
    } else if (auto address = Address::parse_host(host)) {
        if (address->family() == AF_INET) {
            return address;
        }
        return fail(
            ErrorKind::invalid,
            "an IPv6 address is written in brackets: \"http://[" + std::string(host) + "]:PORT\""
        );
    }
    return fail(
        ErrorKind::invalid,
        in_quotes(host) +
            " is not an address, and names are not looked up: write an IPv4 address, an IPv6 address in "
            "brackets, or * for every address of the machine"
    );
}

}  // namespace

Result<Address> parse_listen(std::string_view text) {
    if (text.starts_with("https://")) {
        return fail(ErrorKind::unsupported, "https: TLS is not supported by this version; write http://");
    }
    if (!text.starts_with(kScheme)) {
        return refuse_form(text);
    }
    std::string_view place = text.substr(kScheme.size());
    if (place.contains('/')) {
        return fail(
            ErrorKind::invalid,
            "nothing follows the port of " + std::string(kForm) + ", found " + in_quotes(text)
        );
    }
    size_t colon = place.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || place.back() == ']') {
        return refuse_form(text);
    }
    std::string_view digits = place.substr(colon + 1);
    uint16_t port = 0;
    auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (status != std::errc{} || end != digits.data() + digits.size()) {
        return fail(
            ErrorKind::invalid,
            in_quotes(digits) + " is not a port (0 to 65535; 0 takes a free one)"
        );
    }
    TRY(Address host, parse_host(place.substr(0, colon)));
    if (port == 0) {
        return host;
    }
    std::string host_text = host.host_string();
    return Address::parse(
        (host.family() == AF_INET6 ? "[" + host_text + "]" : host_text) + ":" + std::to_string(port)
    );
}

std::string listen_text(const Address& address) {
    bool is_every = address.family() == AF_INET6 && is_any_address(address);
    return std::string(kScheme) + (is_every ? "*:" + std::to_string(address.port()) : address.to_string());
}

Address at_port(const Address& server, uint16_t port) {
    std::string host = server.host_string();
    std::string_view form = server.family() == AF_INET6 ? "[{}]:{}" : "{}:{}";
    auto address = Address::parse(std::vformat(form, std::make_format_args(host, port)));
    ASSERT(address.has_value());
    return *address;
}

bool is_any_address(const Address& address) {
    return address.family() != AF_UNIX &&
           std::ranges::all_of(address.bytes(), [](uint8_t byte) { return byte == 0; });
}

bool listen_covers(const Address& wide, const Address& narrow) {
    if (wide.port() != narrow.port() || wide.port() == 0) {
        return wide == narrow;
    }
    bool is_every_of_family =
        is_any_address(wide) && (wide.family() == AF_INET6 || narrow.family() == AF_INET);
    return wide == narrow || is_every_of_family;
}

}  // namespace node
