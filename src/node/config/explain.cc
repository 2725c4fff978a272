// Prints a configuration as TOML that says of each value whether it is the default.
#include "node/config/explain.h"

#include <algorithm>
#include <array>
#include <format>
#include <ranges>
#include <span>
#include <utility>
#include <vector>

#include "cluster/settings.h"
#include "node/config/cluster.h"
#include "node/config/database.h"
#include "node/config/derived.h"
#include "node/config/drill.h"
#include "node/config/listen.h"
#include "node/config/names.h"
#include "node/config/servers.h"
#include "node/config/settings.h"
#include "node/config/web.h"
#include "node/config/wiring.h"

namespace node {

namespace {

constexpr size_t kCommentColumn = 40;

using Pairs = std::vector<std::pair<std::string, std::string>>;

// A line and, from kCommentColumn on where it fits, its comment.
std::string commented(std::string line, std::string_view comment) {
    if (!comment.empty()) {
        line.resize(std::max(line.size() + 1, kCommentColumn), ' ');
        line += "# " + std::string(comment);
    }
    return line + "\n";
}

// What a value means where its text does not say it.
std::string_view meaning_of(std::string_view table, const Setting& setting) {
    struct Meaning {
        std::string_view table;  // empty: any
        std::string_view key;
        std::string_view value;
        std::string_view text;
    };
    static constexpr auto kMeanings = std::to_array<Meaning>({
        {"balancer", "threads", "0", "one a processor"},
        {"web", "threads", "0", "one a processor"},
        {"app", "instances", "0", "one a processor"},
        {"", "connections_per_client", "0", "no bound of its own"},
        {"balancer.limits", "body", "\"0\"", "no bound"},
        {"web.limits", "body", "\"0\"", "no bound"},
        {"database", "listen", "", "no listen: port 3306 of each server that has a router"},
        {"database", "directory", "", "no directory: below the state directory"},
        {"database", "name", "", "no name: the program says which schema it wants"},
        {"database.account", "password_file", "", "no password"},
        {"database.limits", "clients_per_address", "0", "no bound of its own"},
        {"app.limits", "memory", "\"0\"", "no limit"},
        {"app.limits", "open_files", "0", "65536, or the hard limit where that is lower"},
        {"app.limits", "processes", "0", "no limit"},
        {"", "path", "", "no path: a check is a TCP connect"},
        {"", "file", "", "no file: standard output"},
        {"web", "root", "", "no root: every request goes to the app"},
        {"app", "user", "", "no user: the program runs as the server does"},
        {"drill", "requests", "[]", "/ and the health path"},
        {"drill", "statements", "0", "none"},
    });
    for (const Meaning& meaning : kMeanings) {
        bool is_meant = meaning.table.empty() || meaning.table == table;
        if (is_meant && meaning.key == setting.key && meaning.value == setting.value) {
            return meaning.text;
        }
    }
    bool is_base = table == "app" && setting.key == "directory" && setting.value == setting.default_value;
    return is_base ? "where this file is" : "";
}

std::string print_settings(std::string_view table, std::span<const Setting> settings) {
    std::string text;
    for (const Setting& setting : settings) {
        std::string comment(meaning_of(table, setting));
        if (setting.value.empty()) {
            text += comment.empty() ? "" : "# " + comment + "\n";
            continue;
        }
        if (setting.value == setting.default_value) {
            comment = comment.empty() ? "default" : "default: " + comment;
        }
        text += commented(std::format("{} = {}", setting.key, setting.value), comment);
    }
    return text;
}

std::string print_table(std::string_view table, std::span<const Setting> settings) {
    return std::format("\n[{}]\n", table) + print_settings(table, settings);
}

// A name as a TOML key: in quotes unless it is a bare key.
std::string key_text(std::string_view name) {
    bool is_bare = is_name(name, name.size(), "_-") && !name.contains('.');
    return is_bare ? std::string(name) : text_literal(name);
}

std::string print_pairs(std::string_view table, const Pairs& pairs) {
    std::string text = pairs.empty() ? "" : std::format("\n[{}]\n", table);
    for (const auto& [key, value] : pairs) {
        text += std::format("{} = {}\n", key_text(key), text_literal(value));
    }
    return text;
}

std::string print_servers(const Config& config) {
    std::string text = "\n[servers]\n";
    for (const ServerConfig& server : config.servers) {
        std::string roles;
        for (Role role : {Role::balancer, Role::web, Role::app, Role::database, Role::router}) {
            if (server.roles.has(role)) {
                roles += (roles.empty() ? "" : ", ") + text_literal(role_name(role));
            }
        }
        text += std::format(
            "{} = {{ address = {}, roles = [{}]{} }}\n",
            key_text(server.name),
            text_literal(server.address.host_string()),
            roles,
            has_share(server) ? std::format(", weight = {}", server.weight) : ""
        );
    }
    return text;
}

std::string print_listen(const Config& config) {
    std::string listen;
    std::string_view comment;
    for (const net::Address& address : config.balancer.listen) {
        listen += (listen.empty() ? "" : ", ") + text_literal(listen_text(address));
        if (address.port() == 0) {
            comment = "port 0: a free one, see the log";
        }
    }
    return commented(std::format("listen = [{}]", listen), comment);
}

std::string print_pool(const upstream::PoolConfig& pool) {
    std::string table = "pools." + key_text(pool.name);
    std::string text = std::format("\n[{}]\nbackends = [\n", table);
    for (const upstream::BackendConfig& backend : pool.backends) {
        text += std::format("    {{ name = {}", text_literal(backend.name));
        for (const Setting& setting : backend_settings(backend)) {
            text += std::format(", {} = {}", setting.key, setting.value);
        }
        text += " },\n";
    }
    text += "]\n" + print_settings(table, pool_settings(pool));
    return text + print_table(table + ".health", health_settings(pool.health));
}

// As comments, for the file that is read again derives it again.
std::string print_derived_pool(const upstream::PoolConfig& pool) {
    std::string text = std::format("\n# derived from [servers]: the pool {}\n", text_literal(pool.name));
    for (auto line : std::views::split(std::string_view(print_pool(pool)), '\n')) {
        if (!line.empty()) {
            text += "# " + std::string(std::string_view(line)) + "\n";
        }
    }
    return text;
}

// What the derived pool takes from [balancer]; the others say it for themselves.
std::string print_pool_defaults(const upstream::PoolConfig& pool, std::string_view health_path) {
    std::vector<Setting> shared;
    for (Setting& setting : pool_settings(pool)) {
        if (setting.key == "algorithm" || setting.key == "mode" || setting.key == "failback") {
            shared.push_back(std::move(setting));
        }
    }
    std::vector<Setting> health = health_settings(pool.health);
    std::erase_if(health, [&](const Setting& setting) {
        return setting.key == "path" && setting.value == text_literal(health_path);
    });
    return print_settings("balancer", shared) + print_table("balancer.health", health);
}

template <class Tier>
std::string print_clients(const std::string& table, const Tier& tier) {
    return print_table(table + ".timeouts", timeout_settings(tier.timeouts)) +
           print_table(table + ".limits", limit_settings(tier.limits)) +
           print_table(table + ".access_log", access_log_settings(tier.access_log));
}

std::string print_balancer(const Config& config) {
    const balancer::Config& balancer = config.balancer;
    std::string text = "\n[balancer]\n" + print_listen(config);
    text += print_settings("balancer", balancer_settings(balancer));
    for (const upstream::PoolConfig& pool : balancer.pools) {
        if (pool.name == derived_pool_name(config)) {
            text += print_pool_defaults(pool, derived_health_path(config));
        }
    }
    return text + print_clients("balancer", balancer);
}

std::string print_files(const web::Config& site) {
    Pairs pages;
    for (const web::ErrorPage& page : site.error_pages) {
        pages.emplace_back(std::to_string(page.status), page.path);
    }
    Pairs types;
    for (const web::MimeOverride& override : site.mime_types) {
        types.emplace_back(override.extension, override.type);
    }
    return print_table("web.cache", cache_settings(site.cache)) + print_pairs("web.error_pages", pages) +
           print_pairs("web.mime_types", types);
}

std::string print_web(const Config& config) {
    const WebConfig& web = *config.web;
    std::string text = print_table("web", web_settings(web, fallback_of(config)));
    for (const web::CacheControlRule& rule : web.site.cache_control) {
        text += std::format(
            "{}    {{ match = {}, value = {} }},\n",
            &rule == web.site.cache_control.data() ? "cache_control = [\n" : "",
            text_literal(rule.match),
            text_literal(rule.value)
        );
    }
    text += web.site.cache_control.empty() ? "" : "]\n";
    text += web.site.root.empty() ? "" : print_files(web.site);
    return text + print_clients("web", web);
}

std::string print_app(const Config& config) {
    const app::Config& program = config.app->program;
    return print_table("app", app_settings(*config.app, config.base_directory)) +
           print_pairs("app.env", program.env) +
           print_table("app.health", app_health_settings(program.health)) +
           print_table("app.limits", app_limit_settings(program.limits)) +
           print_table("app.stop", stop_settings(program.stop)) +
           print_table("app.restart", restart_settings(program.restart));
}

// What follows from the servers that have the role is a comment: the file that is read again derives it
// again.
std::string print_kept_database(const Config& config) {
    std::vector<Setting> settings = database_settings(*config.database);
    std::erase_if(settings, [](const Setting& setting) { return setting.key == "nodes"; });
    std::string text = print_table("database", settings);
    text += print_settings("database", cluster_settings(*config.cluster));
    for (const cluster::Place& place : cluster_places(config, "")) {
        text += std::format(
            "# derived: mariadbd of {} at {}, for Trilith alone {}, server ids {} * 65536 + epoch\n",
            place.server,
            place.database.to_string(),
            place.manager.to_string(),
            cluster::server_number_of(place.server)
        );
    }
    for (const ServerConfig& server : config.servers) {
        if (runs_router(config, server)) {
            text += std::format(
                "# derived: the SQL router of {} at {}\n",
                server.name,
                router_listen(config, server).front().to_string()
            );
        }
    }
    return text;
}

std::string print_database(const Config& config) {
    const sql::Config& database = *config.database;
    std::string text = config.cluster
                           ? print_kept_database(config)
                           : print_table("database", database_settings(database)) +
                                 print_table("database.account", database_account_settings(database.account));
    return text + print_table("database.limits", database_limit_settings(database.limits)) +
           print_table("database.pool", database_pool_settings(database.pool)) +
           print_table("database.timeouts", database_timeout_settings(database.timeouts));
}

std::string print_route(const balancer::RouteConfig& route, const Config& config) {
    std::string text = "\n[[routes]]\n";
    text += route.host.empty() ? "# every host\n" : std::format("host = {}\n", text_literal(route.host));
    if (route.path.empty()) {
        text += "# every path\n";
    } else {
        text += commented(
            std::format("path = {}", text_literal(route.path)),
            route.path == "raw" ? "every path, sent as it came" : ""
        );
    }
    if (route.handler != balancer::kNoTarget) {
        text += std::format("root = {}\n", text_literal(config.route_sites[route.handler].root));
    }
    if (route.pool != balancer::kNoTarget) {
        text += std::format("pool = {}\n", text_literal(config.balancer.pools[route.pool].name));
    }
    return text;
}

std::string print_drill(const Config& config) {
    std::string text = print_table("drill", drill_settings(config.drill));
    for (const drill::FormConfig& form : config.drill.forms) {
        text += "\n[[drill.forms]]\n";
        for (const Setting& setting : form_settings(form)) {
            text += std::format("{} = {}\n", setting.key, setting.value);
        }
    }
    return text + print_table("objectives", objective_settings(config.objectives));
}

// Comments alone, for all of it follows from what stands above.
std::string print_wiring(const Config& config) {
    std::string text;
    for (const ServerConfig& server : config.servers) {
        text += std::format("\n# derived: {} at {}\n", server.name, server.address.host_string());
        for (const std::string& sentence : wiring_of(config, server)) {
            text += "#   " + sentence + "\n";
        }
    }
    return text;
}

}  // namespace

std::string explain(const Config& config) {
    const balancer::Config& balancer = config.balancer;
    std::string text = std::format("site = {}\n", text_literal(config.site));
    if (config.user.empty()) {
        text += "# no user: as root, the owner of this file, or else the user trilith\n";
    } else {
        text += std::format("user = {}\n", text_literal(config.user));
    }
    text += print_servers(config);
    text += has_role(config, Role::balancer) ? print_balancer(config) : "";
    text += config.web ? print_web(config) : "";
    text += config.app ? print_app(config) : "";
    text += config.database ? print_database(config) : "";
    if (config.admin_listen) {
        text += std::format("\n[admin]\nlisten = {}\n", text_literal(listen_text(*config.admin_listen)));
    } else {
        text += "\n# no [admin]: metrics are on the control socket only\n";
    }
    text += print_table("log", log_settings(config.log));
    for (const upstream::PoolConfig& pool : balancer.pools) {
        text += pool.name == derived_pool_name(config) ? print_derived_pool(pool) : print_pool(pool);
    }
    for (const balancer::RouteConfig& route : balancer.routes) {
        text += print_route(route, config);
    }
    return text + print_drill(config) + print_wiring(config);
}

}  // namespace node
