// What one configuration file says, checked and frozen: the site, its servers, and one struct for each tier.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "balancer/config.h"
#include "net/address.h"

namespace node {

// What a server does. This version builds `balancer`; the others are known names that reading a file refuses.
enum class Role : uint8_t { balancer, web, app, database, router };

class RoleSet {
public:
    RoleSet() = default;

    RoleSet(std::initializer_list<Role> roles) {
        for (Role role : roles) {
            add(role);
        }
    }

    void add(Role role) { bits_ |= bit(role); }

    [[nodiscard]] bool has(Role role) const { return (bits_ & bit(role)) != 0; }

    [[nodiscard]] bool is_empty() const { return bits_ == 0; }

    friend bool operator==(const RoleSet&, const RoleSet&) = default;

private:
    static constexpr uint32_t bit(Role role) { return uint32_t{1} << static_cast<unsigned>(role); }

    uint32_t bits_ = 0;
};

struct ServerConfig {
    std::string name;      // unique; 1 to 63 of A-Z a-z 0-9 . _ - and not "up": it names the control socket
    net::Address address;  // port 0; where the server is, for other servers and for its own outgoing
                           // connections
    RoleSet roles;         // at least one

    friend bool operator==(const ServerConfig&, const ServerConfig&) = default;
};

struct Config {
    std::string site = "local";  // 1 to 100 of A-Z a-z 0-9 . _ -; names the state and runtime directories
    std::vector<ServerConfig> servers;  // in the order written; at least one
    balancer::Config balancer;
    std::optional<net::Address> admin_listen;  // GET /metrics is answered here; none: only on the control
                                               // socket

    friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace node
