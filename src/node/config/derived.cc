// Derives pools of servers.
#include "node/config/derived.h"

#include "node/config/listen.h"
#include "node/config/servers.h"

namespace node {

namespace {

// The tier behind the balancer, if there are both.
std::optional<Role> tier_behind(const Config& config) {
    if (!has_role(config, Role::balancer)) {
        return std::nullopt;
    }
    for (Role role : {Role::web, Role::app}) {
        if (has_role(config, role)) {
            return role;
        }
    }
    return std::nullopt;
}

}  // namespace

std::string_view derived_pool_name(const Config& config) {
    auto role = tier_behind(config);
    return role ? role_name(*role) : "";
}

std::string_view derived_health_path(const Config& config) {
    bool is_web = tier_behind(config) == Role::web;
    if (is_web) {
        return config.web ? std::string_view(config.web->health_path) : "";
    }
    return config.app ? std::string_view(config.app->program.health.path) : "";
}

std::optional<upstream::PoolConfig> derive_pool(const Config& config, const upstream::PoolConfig& defaults) {
    auto role = tier_behind(config);
    if (!role) {
        return std::nullopt;
    }
    upstream::PoolConfig pool = defaults;
    pool.name = role_name(*role);
    if (!pool.health.path) {
        pool.health.path = derived_health_path(config);
    }
    uint16_t port =
        *role == Role::web ? config.web.value_or(WebConfig{}).port : config.app.value_or(AppConfig{}).port;
    for (const ServerConfig& server : config.servers) {
        if (server.roles.has(*role)) {
            pool.backends.push_back(
                {.name = server.name, .address = at_port(server.address, port), .weight = server.weight}
            );
        }
    }
    return pool;
}

}  // namespace node
