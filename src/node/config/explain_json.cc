// Prints a configuration as JSON.
#include <span>

#include <nlohmann/json.hpp>

#include "node/config/database.h"
#include "node/config/derived.h"
#include "node/config/drill.h"
#include "node/config/explain.h"
#include "node/config/listen.h"
#include "node/config/servers.h"
#include "node/config/settings.h"
#include "node/config/web.h"
#include "node/config/wiring.h"

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
        Json& entry = servers[server.name];
        entry = {{"address", server.address.host_string()}, {"roles", std::move(roles)}};
        if (has_share(server)) {
            entry["weight"] = server.weight;
        }
    }
    return servers;
}

template <class Tier>
void add_clients(Json& object, const Tier& tier) {
    object["timeouts"] = object_of(timeout_settings(tier.timeouts));
    object["limits"] = object_of(limit_settings(tier.limits));
    object["access_log"] = object_of(access_log_settings(tier.access_log));
}

Json balancer_of(const balancer::Config& config) {
    Json object = Json::object();
    for (const net::Address& address : config.listen) {
        object["listen"].push_back(listen_text(address));
    }
    add_settings(object, balancer_settings(config));
    add_clients(object, config);
    return object;
}

void add_files(Json& object, const web::Config& site) {
    object["cache_control"] = Json::array();
    for (const web::CacheControlRule& rule : site.cache_control) {
        object["cache_control"].push_back({{"match", rule.match}, {"value", rule.value}});
    }
    object["cache"] = object_of(cache_settings(site.cache));
    object["error_pages"] = Json::object();
    for (const web::ErrorPage& page : site.error_pages) {
        object["error_pages"][std::to_string(page.status)] = page.path;
    }
    object["mime_types"] = Json::object();
    for (const web::MimeOverride& override : site.mime_types) {
        object["mime_types"][override.extension] = override.type;
    }
}

Json web_of(const Config& config) {
    const WebConfig& web = *config.web;
    Json object = object_of(web_settings(web, fallback_of(config)));
    if (!web.site.root.empty()) {
        add_files(object, web.site);
    }
    add_clients(object, web);
    return object;
}

Json app_of(const Config& config) {
    const app::Config& program = config.app->program;
    Json object = object_of(app_settings(*config.app, config.base_directory));
    object["env"] = Json::object();
    for (const auto& [name, value] : program.env) {
        object["env"][name] = value;
    }
    object["health"] = object_of(app_health_settings(program.health));
    object["limits"] = object_of(app_limit_settings(program.limits));
    object["stop"] = object_of(stop_settings(program.stop));
    object["restart"] = object_of(restart_settings(program.restart));
    return object;
}

Json database_of(const sql::Config& database) {
    Json object = object_of(database_settings(database));
    object["nodes"] = Json::array();
    for (const sql::NodeConfig& node : database.nodes) {
        Json address = node.address.to_string();
        bool is_usual = node.weight == sql::NodeConfig{}.weight;
        object["nodes"].push_back(is_usual ? address : Json{{"address", address}, {"weight", node.weight}});
    }
    object["account"] = object_of(database_account_settings(database.account));
    object["limits"] = object_of(database_limit_settings(database.limits));
    object["pool"] = object_of(database_pool_settings(database.pool));
    object["timeouts"] = object_of(database_timeout_settings(database.timeouts));
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

// A root or a pool that the route has not is left out.
Json route_of(const balancer::RouteConfig& route, const Config& config) {
    Json object = {{"host", text_or_null(route.host)}, {"path", text_or_null(route.path)}};
    if (route.handler != balancer::kNoTarget) {
        object["root"] = config.route_sites[route.handler].root;
    }
    if (route.pool != balancer::kNoTarget) {
        object["pool"] = config.balancer.pools[route.pool].name;
    }
    return object;
}

}  // namespace

std::string explain_json(const Config& config) {
    Json document = {
        {"site", config.site},
        {"user", text_or_null(config.user)},
        {"servers", servers_of(config)},
    };
    if (has_role(config, Role::balancer)) {
        document["balancer"] = balancer_of(config.balancer);
    }
    if (config.web) {
        document["web"] = web_of(config);
    }
    if (config.app) {
        document["app"] = app_of(config);
    }
    if (config.database) {
        document["database"] = database_of(*config.database);
    }
    document["admin"]["listen"] =
        config.admin_listen ? Json(listen_text(*config.admin_listen)) : Json(nullptr);
    document["log"] = object_of(log_settings(config.log));
    for (const upstream::PoolConfig& pool : config.balancer.pools) {
        Json& object = document["pools"][pool.name];
        object = pool_of(pool);
        if (pool.name == derived_pool_name(config)) {
            object["derived"] = true;
        }
    }
    for (const balancer::RouteConfig& route : config.balancer.routes) {
        document["routes"].push_back(route_of(route, config));
    }
    document["drill"] = object_of(drill_settings(config.drill));
    document["drill"]["forms"] = Json::array();
    for (const drill::FormConfig& form : config.drill.forms) {
        document["drill"]["forms"].push_back(object_of(form_settings(form)));
    }
    document["objectives"] = object_of(objective_settings(config.objectives));
    for (const ServerConfig& server : config.servers) {
        document["derived"][server.name] = wiring_of(config, server);
    }
    return document.dump(2) + "\n";
}

}  // namespace node
