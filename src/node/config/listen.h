// Where the balancer listens, as the configuration writes it: "http://127.0.0.1:8080", "http://*:8080".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "net/address.h"

namespace node {

// Reads http://ADDRESS:PORT. ADDRESS is IPv4, [IPv6] or * (every address of the machine); PORT 0 takes a free
// port when it is bound. Errors say the cure: https (unsupported), a host name, a path, a missing port
// (invalid).
[[nodiscard]] core::Result<net::Address> parse_listen(std::string_view text);

// The inverse; an unspecified IPv6 address is written *.
[[nodiscard]] std::string listen_text(const net::Address& address);

// The place of `port`, 1 to 65535, at the address of a server.
[[nodiscard]] net::Address at_port(const net::Address& server, uint16_t port);

// Whether the address stands for every address of the machine: 0.0.0.0, [::], *.
[[nodiscard]] bool is_any_address(const net::Address& address);

// Whether binding `wide` takes everything that binding `narrow` would: the same port (not 0), and the same or
// every address.
[[nodiscard]] bool listen_covers(const net::Address& wide, const net::Address& narrow);

}  // namespace node
