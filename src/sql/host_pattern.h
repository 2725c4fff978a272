// The host part of an account, as MariaDB compares it with a client's address and orders it (sql_acl.cc and
// sql_acl_getsort.inl of MariaDB 10.11).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/address.h"

namespace sql {

// What an account's host is compared with. At least one of both is there.
struct ClientHost {
    std::optional<std::string> name{};     // "localhost" of a unix socket, and perhaps of 127.0.0.1 and ::1
    std::optional<std::string> address{};  // as text; none of a unix socket

    // As the server names the client in its messages.
    [[nodiscard]] const std::string& shown() const { return name ? *name : *address; }
};

// Whether the primary takes a client of 127.0.0.1 or ::1 for "localhost" (it does, unless it runs with
// skip_name_resolve).
enum class LoopbackName : uint8_t { localhost, address };

[[nodiscard]] ClientHost client_host(const net::Address& from, LoopbackName loopback);

// Whether `pattern` fits: a text with % and _ (\ takes their meaning away), or ADDRESS/NETMASK of IPv4. Names
// are compared without regard to case, addresses are not. "" is "%".
[[nodiscard]] bool host_matches(std::string_view pattern, const ClientHost& host);

// How many hosts a pattern may fit: the smaller, the more specific. Equal ones are tried in descending order
// of their texts.
[[nodiscard]] uint64_t host_generality(std::string_view pattern);

}  // namespace sql
