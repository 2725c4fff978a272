// Prints a configuration as JSON.
#include <span>

#include <nlohmann/json.hpp>

#include "node/config_explain.h"
#include "node/config_listen.h"
#include "node/config_servers.h"
#include "node/config_settings.h"

namespace node {

namespace {

using Json = nlohmann::ordered_json;

// A key without a value is null.
void add_settings(Json& object, std::span<const Setting> settings) {
    for (const Setting& setting : settings) {
        object[std::string(setting.key)] =
            setting.value.empty() ? Json(nullptr) : Json::parse(setting.value, nullptr, false);
    }
}

Json object_of(std::span<const Setting> settings) {
    Json object = Json::object();
    add_settings(object, settings);
    return object;
}

Json servers_of(const Config& config) {
    Json servers = Json::object();
    for (const ServerConfig& server : config.servers) {
        Json roles = Json::array();
        for (Role role : {Role::balancer, Role::web, Role::app, Role::database, Role::router}) {
            if (server.roles.has(role)) {
                roles.push_back(role_name(role));
            }
        }
        servers[server.name] = {{"address", server.address.host_string()}, {"roles", std::move(roles)}};
    }
    return servers;
}

Json balancer_of(const balancer::Config& config) {
    Json object = Json::object();
    for (const net::Address& address : config.listen) {
        object["listen"].push_back(listen_text(address));
    }
    add_settings(object, balancer_settings(config));
    object["timeouts"] = object_of(timeout_settings(config.timeouts));
    object["limits"] = object_of(limit_settings(config.limits));
    object["access_log"] = object_of(access_log_settings(config.access_log));
    return object;
}

Json pool_of(const upstream::PoolConfig& pool) {
    Json object = Json::object();
    for (const upstream::BackendConfig& backend : pool.backends) {
        Json entry = {{"name", backend.name}};
        add_settings(entry, backend_settings(backend));
        object["backends"].push_back(std::move(entry));
    }
    add_settings(object, pool_settings(pool));
    object["health"] = object_of(health_settings(pool.health));
    return object;
}

Json text_or_null(std::string_view text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

std::string explain_json(const Config& config) {
    Json document = {
        {"site", config.site},
        {"servers", servers_of(config)},
        {"balancer", balancer_of(config.balancer)}
    };
    document["admin"]["listen"] =
        config.admin_listen ? Json(listen_text(*config.admin_listen)) : Json(nullptr);
    for (const upstream::PoolConfig& pool : config.balancer.pools) {
        document["pools"][pool.name] = pool_of(pool);
    }
    for (const balancer::RouteConfig& route : config.balancer.routes) {
        document["routes"].push_back(
            {{"host", text_or_null(route.host)},
             {"path", text_or_null(route.path)},
             {"pool", config.balancer.pools[route.pool].name}}
        );
    }
    return document.dump(2) + "\n";
}

}  // namespace node
