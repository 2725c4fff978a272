// Prints a configuration as TOML that says of each value whether it is the default.
#include "node/config_explain.h"

#include <format>
#include <span>

#include "node/config_listen.h"
#include "node/config_servers.h"
#include "node/config_settings.h"

namespace node {

namespace {

constexpr size_t kCommentColumn = 40;

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
    if (table == "balancer" && setting.key == "threads" && setting.value == "0") {
        return "one a processor";
    }
    if (setting.key == "connections_per_client" && setting.value == "0") {
        return "no bound of its own";
    }
    if (table == "balancer.limits" && setting.key == "body" && setting.value == "\"0\"") {
        return "no bound";
    }
    if (setting.key == "path" && setting.value.empty()) {
        return "no path: a check is a TCP connect";
    }
    if (setting.key == "file" && setting.value.empty()) {
        return "no file: standard output";
    }
    return "";
}

std::string print_settings(std::string_view table, std::span<const Setting> settings) {
    std::string text;
    for (const Setting& setting : settings) {
        std::string comment(meaning_of(table, setting));
        if (setting.value.empty()) {
            text += "# " + comment + "\n";
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
    return name.contains('.') ? text_literal(name) : std::string(name);
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
            "{} = {{ address = {}, roles = [{}] }}\n",
            key_text(server.name),
            text_literal(server.address.host_string()),
            roles
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

std::string print_route(const balancer::RouteConfig& route, const balancer::Config& config) {
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
    return text + std::format("pool = {}\n", text_literal(config.pools[route.pool].name));
}

}  // namespace

std::string explain(const Config& config) {
    const balancer::Config& balancer = config.balancer;
    std::string text = std::format("site = {}\n", text_literal(config.site));
    text += print_servers(config);
    text += "\n[balancer]\n" + print_listen(config) + print_settings("balancer", balancer_settings(balancer));
    text += print_table("balancer.timeouts", timeout_settings(balancer.timeouts));
    text += print_table("balancer.limits", limit_settings(balancer.limits));
    text += print_table("balancer.access_log", access_log_settings(balancer.access_log));
    if (config.admin_listen) {
        text += std::format("\n[admin]\nlisten = {}\n", text_literal(listen_text(*config.admin_listen)));
    } else {
        text += "\n# no [admin]: metrics are on the control socket only\n";
    }
    for (const upstream::PoolConfig& pool : balancer.pools) {
        text += print_pool(pool);
    }
    for (const balancer::RouteConfig& route : balancer.routes) {
        text += print_route(route, balancer);
    }
    return text;
}

}  // namespace node
