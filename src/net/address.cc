#include "net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace net {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

Result<uint16_t> parse_port(std::string_view text) {
    uint16_t port = 0;
    auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (text.empty() || status != std::errc{} || end != text.data() + text.size() || port == 0) {
        return fail(ErrorKind::invalid, "\"" + std::string(text) + "\" is not a port (1 to 65535)");
    }
    return port;
}

// The system reads a text up to its first NUL byte: "127.0.0.1\0.example" must not be 127.0.0.1.
bool has_nul(std::string_view text) { return text.contains('\0'); }

std::string before_nul(std::string_view text) {
    return "\"" + std::string(text.substr(0, text.find('\0'))) + "\" is followed by a NUL byte";
}

bool is_mapped_ipv4(const in6_addr& address) { return IN6_IS_ADDR_V4MAPPED(&address); }

}  // namespace

Result<Address> Address::parse_host(std::string_view text) {
    if (has_nul(text)) {
        return fail(ErrorKind::invalid, before_nul(text) + ", which no address has");
    }
    Address address;
    std::string host(text);
    if (inet_pton(AF_INET, host.c_str(), address.bytes_.data()) == 1) {
        return address;
    }
    in6_addr six{};
    if (inet_pton(AF_INET6, host.c_str(), &six) == 1) {
        address.family_ = AF_INET6;
        std::memcpy(address.bytes_.data(), &six, sizeof six);
        return address;
    }
    return fail(ErrorKind::invalid, "\"" + host + "\" is not an IPv4 or IPv6 address");
}

Result<Address> Address::parse(std::string_view text) {
    size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return fail(
            ErrorKind::invalid,
            "\"" + std::string(text) + "\" is not ADDRESS:PORT, such as \"127.0.0.1:8080\""
        );
    }
    TRY(uint16_t port, parse_port(text.substr(colon + 1)));
    std::string_view host = text.substr(0, colon);
    if (host == "*") {
        Address any;
        any.family_ = AF_INET6;
        any.port_ = port;
        return any;
    }
    bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (is_bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    TRY(Address address, parse_host(host));
    if ((address.family_ == AF_INET6) != is_bracketed) {
        return fail(
            ErrorKind::invalid,
            "\"" + std::string(text) + "\": an IPv6 address is written [ADDRESS]:PORT"
        );
    }
    address.port_ = port;
    return address;
}

Result<Address> Address::of_unix_path(std::string_view path) {
    if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
        return fail(
            ErrorKind::too_large,
            "the path of a unix socket has 1 to 107 bytes, this one " + std::to_string(path.size()) + ": " +
                std::string(path)
        );
    }
    if (has_nul(path)) {
        return fail(ErrorKind::invalid, before_nul(path) + ", which no path has");
    }
    Address address;
    address.family_ = AF_UNIX;
    address.path_ = path;
    return address;
}

Address Address::of_sockaddr(const sockaddr_storage& storage) {
    Address address;
    address.family_ = storage.ss_family;
    if (storage.ss_family == AF_INET) {
        sockaddr_in four{};
        std::memcpy(&four, &storage, sizeof four);
        std::memcpy(address.bytes_.data(), &four.sin_addr, sizeof four.sin_addr);
        address.port_ = ntohs(four.sin_port);
    } else if (storage.ss_family == AF_INET6) {
        sockaddr_in6 six{};
        std::memcpy(&six, &storage, sizeof six);
        address.port_ = ntohs(six.sin6_port);
        if (is_mapped_ipv4(six.sin6_addr)) {
            address.family_ = AF_INET;
            std::memcpy(address.bytes_.data(), six.sin6_addr.s6_addr + 12, 4);
        } else {
            std::memcpy(address.bytes_.data(), &six.sin6_addr, sizeof six.sin6_addr);
        }
    }
    return address;
}

socklen_t Address::fill(sockaddr_storage& storage) const {
    std::memset(&storage, 0, sizeof storage);
    if (family_ == AF_INET) {
        sockaddr_in four{};
        four.sin_family = AF_INET;
        four.sin_port = htons(port_);
        std::memcpy(&four.sin_addr, bytes_.data(), sizeof four.sin_addr);
        std::memcpy(&storage, &four, sizeof four);
        return sizeof four;
    }
    if (family_ == AF_INET6) {
        sockaddr_in6 six{};
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port_);
        std::memcpy(&six.sin6_addr, bytes_.data(), sizeof six.sin6_addr);
        std::memcpy(&storage, &six, sizeof six);
        return sizeof six;
    }
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    std::memcpy(local.sun_path, path_.data(), path_.size());
    std::memcpy(&storage, &local, sizeof local);
    return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size() + 1);
}

std::string Address::host_string() const {
    char text[INET6_ADDRSTRLEN] = "";
    if (family_ == AF_UNIX) {
        return "unix";
    }
    inet_ntop(family_, bytes_.data(), text, sizeof text);
    return text;
}

std::string Address::to_string() const {
    if (family_ == AF_UNIX) {
        return "unix:" + path_;
    }
    std::string host = host_string();
    return (family_ == AF_INET6 ? "[" + host + "]" : host) + ":" + std::to_string(port_);
}

}  // namespace net
