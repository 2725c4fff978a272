// Where a socket is: an IPv4 or IPv6 address with a port, or the path of a unix socket.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace net {

class Address {
public:
    // 0.0.0.0:0.
    Address() = default;

    // Reads "127.0.0.1:9001", "[::1]:80", "*:80" (every IPv4 and IPv6 address: the socket is dual-stack).
    // Names are not looked up.
    [[nodiscard]] static core::Result<Address> parse(std::string_view text);

    // Reads an address without a port, "10.0.0.1" or "::1"; the port is 0.
    [[nodiscard]] static core::Result<Address> parse_host(std::string_view text);

    // A unix socket. Refuses a path that does not fit into sockaddr_un (107 bytes).
    [[nodiscard]] static core::Result<Address> of_unix_path(std::string_view path);

    // From what accept() or getsockname() filled in. An IPv4-mapped IPv6 address becomes IPv4.
    [[nodiscard]] static Address of_sockaddr(const sockaddr_storage& storage);

    // Fills `storage` and returns the length for bind() and connect().
    socklen_t fill(sockaddr_storage& storage) const;

    [[nodiscard]] int family() const { return family_; }

    [[nodiscard]] uint16_t port() const { return port_; }

    // The address's bytes, IPv4 in the first four; for limits and matching by client.
    [[nodiscard]] const std::array<uint8_t, 16>& bytes() const { return bytes_; }

    // "127.0.0.1:9001", "[::1]:80", "unix:/path".
    [[nodiscard]] std::string to_string() const;

    // Without the port: "127.0.0.1", "::1".
    [[nodiscard]] std::string host_string() const;

    friend bool operator==(const Address&, const Address&) = default;

private:
    sa_family_t family_ = AF_INET;
    uint16_t port_ = 0;  // host byte order
    std::array<uint8_t, 16> bytes_{};
    std::string path_;
};

}  // namespace net
