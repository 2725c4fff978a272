// What one configuration file says, checked and frozen: the site, its servers, and one struct for each tier.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "app/config.h"
#include "balancer/config.h"
#include "cluster/config.h"
#include "drill/config.h"
#include "net/address.h"
#include "sql/config.h"
#include "web/config.h"

namespace node {

// What a server does.
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

    void add(RoleSet others) { bits_ |= others.bits_; }

    [[nodiscard]] bool has(Role role) const { return (bits_ & bit(role)) != 0; }

    [[nodiscard]] bool is_empty() const { return bits_ == 0; }

    friend bool operator==(const RoleSet&, const RoleSet&) = default;

private:
    static constexpr uint32_t bit(Role role) { return uint32_t{1} << static_cast<unsigned>(role); }

    uint32_t bits_ = 0;
};

struct ServerConfig {
    std::string name;       // unique; 1 to 63 of A-Z a-z 0-9 . _ - and not "up": it names the control socket
    net::Address address;   // port 0; where the server is, for other servers and for its own outgoing
                            // connections
    RoleSet roles;          // at least one
    uint32_t weight = 100;  // share of the pool of the web servers; 0 to 256, 0: no new requests

    friend bool operator==(const ServerConfig&, const ServerConfig&) = default;
};

// [web]
struct WebConfig {
    uint16_t port = 8081;                  // at each server's address; 1 to 65535
    uint32_t threads = 0;                  // cores that serve; 0: one for each processor
    balancer::TimeoutConfig timeouts;      // [web.timeouts]
    balancer::LimitConfig limits;          // [web.limits]
    balancer::AccessLogConfig access_log;  // [web.access_log]
    std::string health_path = "/healthz";  // answered by the server itself
    web::Config site;                      // root empty: no files, everything goes to the app

    friend bool operator==(const WebConfig&, const WebConfig&) = default;
};

// [app]
struct AppConfig {
    uint16_t port = 8082;  // at each server's address, for other servers; 1 to 65535
    app::Config program;

    friend bool operator==(const AppConfig&, const AppConfig&) = default;
};

// [log]
struct LogConfig {
    bool is_enabled = true;
    std::string directory;         // absolute; empty: in the state directory
    uint64_t size_max = 64 << 20;  // bytes of one file
    uint32_t kept = 5;             // full files that stay beside the one that is written
    bool has_requests = false;     // with the access log of every tier, also where that is not enabled

    friend bool operator==(const LogConfig&, const LogConfig&) = default;
};

// Who has a say in what a file says.
struct FileOrigin {
    uid_t owner = 0;
    bool is_open_to_others = false;  // its group or everybody may write to it

    [[nodiscard]] bool is_roots_alone() const { return owner == 0 && !is_open_to_others; }

    friend bool operator==(const FileOrigin&, const FileOrigin&) = default;
};

struct Config {
    FileOrigin origin;           // of the file when it was read
    std::string base_directory;  // where the file is; absolute
    std::string site = "local";  // 1 to 100 of A-Z a-z 0-9 . _ -; names the state and runtime directories
    std::string user;  // whom servers go on as when they are started as root; empty: see serve/user_rule.h
    std::vector<ServerConfig> servers;  // in the order written; at least one
    LogConfig log;
    balancer::Config balancer;
    std::vector<web::Config> route_sites;  // what routes with a root serve; balancer::RouteConfig::handler is
                                           // an index into them
    std::optional<WebConfig> web;          // there if a server has the role
    std::optional<AppConfig> app;          // there if a server has the role
    std::optional<sql::Config> database;   // there if the file has [database]
    std::optional<cluster::Config> cluster;    // the same, if a server has the role: its databases are kept
                                               // here
    std::optional<net::Address> admin_listen;  // GET /metrics is answered here; none: only on the control
                                               // socket
    drill::Config drill;
    drill::Objectives objectives;

    friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace node
