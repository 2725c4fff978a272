// Walks two configurations side by side and names what differs.
#include "node/config/compare.h"

#include <format>

#include "node/config/changes.h"
#include "node/config/cluster.h"
#include "node/config/database.h"
#include "node/config/derived.h"
#include "node/config/drill.h"
#include "node/config/listen.h"
#include "node/config/servers.h"
#include "node/config/settings.h"

namespace node {

namespace {

void compare_servers(const Config& before, const Config& after, Changes& changes) {
    auto entries = [](const Config& config) {
        std::vector<Entry> result;
        for (const ServerConfig& server : config.servers) {
            result.push_back({server.name, std::format("{} at {}", server.name, server.address.host_string())}
            );
        }
        return result;
    };
    auto roles = [](const ServerConfig& server) {
        std::string text;
        for (Role role : {Role::balancer, Role::web, Role::app, Role::database, Role::router}) {
            text += server.roles.has(role) ? (text.empty() ? "" : ", ") + std::string(role_name(role)) : "";
        }
        return text;
    };
    EntryLists lists{"servers", entries(before), entries(after), Applies::after_restart};
    Places places = compare_entries(lists, changes);
    for (size_t at = 0; at < places.size(); ++at) {
        if (!places[at]) {
            continue;
        }
        const ServerConfig& old_one = before.servers[at];
        const ServerConfig& new_one = after.servers[*places[at]];
        std::string key = "servers." + old_one.name;
        if (old_one.address != new_one.address) {
            changes.push_back(
                {key + ".address", old_one.address.host_string(), new_one.address.host_string(), true}
            );
        }
        if (old_one.roles != new_one.roles) {
            changes.push_back({key + ".roles", roles(old_one), roles(new_one), true});
        }
        if (old_one.weight != new_one.weight) {
            changes.push_back(
                {key + ".weight", std::to_string(old_one.weight), std::to_string(new_one.weight), false}
            );
        }
    }
}

// What a tier says of its clients.
template <class Tier>
void compare_clients(const std::string& table, const Tier& before, const Tier& after, Changes& changes) {
    compare_settings(
        table + ".timeouts",
        {timeout_settings(before.timeouts), timeout_settings(after.timeouts)},
        changes
    );
    compare_settings(
        table + ".limits",
        {limit_settings(before.limits), limit_settings(after.limits)},
        changes
    );
    compare_settings(
        table + ".access_log",
        {access_log_settings(before.access_log), access_log_settings(after.access_log)},
        changes
    );
}

void compare_balancer(const balancer::Config& before, const balancer::Config& after, Changes& changes) {
    auto listen = [](const balancer::Config& config) {
        std::vector<Entry> entries;
        for (const net::Address& address : config.listen) {
            entries.push_back({listen_text(address), listen_text(address)});
        }
        return entries;
    };
    compare_entries({"balancer.listen", listen(before), listen(after)}, changes);
    compare_settings("balancer", {balancer_settings(before), balancer_settings(after)}, changes);
    compare_clients("balancer", before, after, changes);
}

// The tables of [web] that say how files are sent.
void compare_files(const web::Config& before, const web::Config& after, Changes& changes) {
    auto rules = [](const web::Config& site) {
        Texts texts;
        for (const web::CacheControlRule& rule : site.cache_control) {
            texts.emplace_back(rule.match, rule.value);
        }
        return texts;
    };
    auto pages = [](const web::Config& site) {
        Texts texts;
        for (const web::ErrorPage& page : site.error_pages) {
            texts.emplace_back(std::to_string(page.status), page.path);
        }
        return texts;
    };
    auto types = [](const web::Config& site) {
        Texts texts;
        for (const web::MimeOverride& override : site.mime_types) {
            texts.emplace_back(override.extension, override.type);
        }
        return texts;
    };
    auto [lists, places] = compare_texts({"web.cache_control", rules(before), rules(after)}, changes);
    compare_order(lists, places, changes);
    compare_texts({"web.error_pages", pages(before), pages(after)}, changes);
    compare_texts({"web.mime_types", types(before), types(after)}, changes);
    compare_settings("web.cache", {cache_settings(before.cache), cache_settings(after.cache)}, changes);
}

void compare_web(const Config& before, const Config& after, Changes& changes) {
    if (!before.web || !after.web) {
        return;  // a change of roles, which is told
    }
    // The steps that are derived do not matter here: both are compared as they are.
    auto settings = [](const Config& config) { return web_settings(*config.web, web::Fallback::app); };
    compare_settings("web", {settings(before), settings(after)}, changes);
    compare_files(before.web->site, after.web->site, changes);
    compare_clients("web", *before.web, *after.web, changes);
}

void compare_env(const app::Config& before, const app::Config& after, Changes& changes) {
    EntryLists lists{"app.env", {}, {}, Applies::after_restart};
    for (const auto& [name, value] : before.env) {
        lists.before.push_back({name, name});
    }
    for (const auto& [name, value] : after.env) {
        lists.after.push_back({name, name});
    }
    Places places = compare_entries(lists, changes);
    for (size_t at = 0; at < places.size(); ++at) {
        if (places[at] && before.env[at].second != after.env[*places[at]].second) {
            // The values may be secrets, and changes are logged.
            changes.push_back({"app.env." + before.env[at].first, "one value", "another", true});
        }
    }
}

void compare_app(const Config& before, const Config& after, Changes& changes) {
    if (!before.app || !after.app) {
        return;  // a change of roles, which is told
    }
    const app::Config& old_one = before.app->program;
    const app::Config& new_one = after.app->program;
    auto compare = [&](const std::string& table, auto settings, const auto& was, const auto& is) {
        compare_settings(table, {settings(was), settings(is)}, changes);
    };
    auto settings = [](const AppConfig& app) { return app_settings(app, ""); };
    compare("app", settings, *before.app, *after.app);
    compare_env(old_one, new_one, changes);
    compare("app.health", app_health_settings, old_one.health, new_one.health);
    compare("app.limits", app_limit_settings, old_one.limits, new_one.limits);
    compare("app.stop", stop_settings, old_one.stop, new_one.stop);
    compare("app.restart", restart_settings, old_one.restart, new_one.restart);
}

void compare_nodes(
    const std::vector<sql::NodeConfig>& before,
    const std::vector<sql::NodeConfig>& after,
    Changes& changes
) {
    auto entries = [](const std::vector<sql::NodeConfig>& nodes) {
        std::vector<Entry> result;
        for (const sql::NodeConfig& node : nodes) {
            result.push_back({node.name, node.name});
        }
        return result;
    };
    Places places = compare_entries({"database.nodes", entries(before), entries(after)}, changes);
    for (size_t at = 0; at < places.size(); ++at) {
        if (places[at] && before[at].weight != after[*places[at]].weight) {
            changes.push_back(
                {"database.nodes." + before[at].name + ".weight",
                 std::to_string(before[at].weight),
                 std::to_string(after[*places[at]].weight)}
            );
        }
    }
}

void compare_database(const Config& before, const Config& after, Changes& changes) {
    if (!before.database || !after.database) {
        if (before.database != after.database) {
            changes.push_back(
                {"database", before.database ? "there" : "", after.database ? "there" : "", true}
            );
        }
        return;
    }
    auto compare = [&](const std::string& table, auto settings, const auto& was, const auto& is) {
        compare_settings(table, {settings(was), settings(is)}, changes);
    };
    if (before.cluster.has_value() != after.cluster.has_value()) {
        changes.push_back(
            {"database",
             before.cluster ? "kept here" : "kept elsewhere",
             after.cluster ? "kept here" : "kept elsewhere",
             true}
        );
        return;
    }
    if (before.cluster) {
        compare("database", cluster_settings, *before.cluster, *after.cluster);
    }
    auto settings = [](const sql::Config& database) {
        std::vector<Setting> all = database_settings(database);
        std::erase_if(all, [](const Setting& setting) { return setting.key == "nodes"; });
        return all;
    };
    compare("database", settings, *before.database, *after.database);
    compare_nodes(before.database->nodes, after.database->nodes, changes);
    compare("database.account", database_account_settings, before.database->account, after.database->account);
    compare("database.limits", database_limit_settings, before.database->limits, after.database->limits);
    compare("database.pool", database_pool_settings, before.database->pool, after.database->pool);
    compare(
        "database.timeouts",
        database_timeout_settings,
        before.database->timeouts,
        after.database->timeouts
    );
}

void compare_admin(const Config& before, const Config& after, Changes& changes) {
    if (before.admin_listen != after.admin_listen) {
        auto text = [](const Config& config) {
            return config.admin_listen ? listen_text(*config.admin_listen) : std::string();
        };
        changes.push_back({"admin.listen", text(before), text(after), true});
    }
}

// Whether the keys of backends are in the file, or follow from [servers], where their changes are told.
enum class Backends : uint8_t { written, derived };

void compare_pool(
    const upstream::PoolConfig& before,
    const upstream::PoolConfig& after,
    Backends backends,
    Changes& changes
) {
    auto entries = [](const upstream::PoolConfig& pool) {
        std::vector<Entry> result;
        for (const upstream::BackendConfig& backend : pool.backends) {
            std::string address = backend.address.to_string();
            bool is_named = backend.name != address;
            result.push_back(
                {backend.name, is_named ? std::format("{} at {}", backend.name, address) : address}
            );
        }
        return result;
    };
    std::string key = "pools." + before.name;
    EntryLists lists{key + ".backends", entries(before), entries(after)};
    Places places = compare_entries(lists, changes);
    compare_order(lists, places, changes);
    for (size_t at = 0; at < places.size(); ++at) {
        if (places[at] && backends == Backends::written) {
            compare_settings(
                lists.key + "." + before.backends[at].name,
                {backend_settings(before.backends[at]), backend_settings(after.backends[*places[at]])},
                changes
            );
        }
    }
    compare_settings(key, {pool_settings(before), pool_settings(after)}, changes);
    compare_settings(
        key + ".health",
        {health_settings(before.health), health_settings(after.health)},
        changes
    );
}

void compare_pools(const Config& old_one, const Config& new_one, Changes& changes) {
    const balancer::Config& before = old_one.balancer;
    const balancer::Config& after = new_one.balancer;
    auto entries = [](const balancer::Config& config) {
        std::vector<Entry> result;
        for (const upstream::PoolConfig& pool : config.pools) {
            size_t count = pool.backends.size();
            result.push_back(
                {pool.name, std::format("{} ({} backend{})", pool.name, count, count == 1 ? "" : "s")}
            );
        }
        return result;
    };
    Places places = compare_entries({"pools", entries(before), entries(after)}, changes);
    for (size_t at = 0; at < places.size(); ++at) {
        if (places[at]) {
            const std::string& name = before.pools[at].name;
            bool is_derived = name == derived_pool_name(old_one) && name == derived_pool_name(new_one);
            compare_pool(
                before.pools[at],
                after.pools[*places[at]],
                is_derived ? Backends::derived : Backends::written,
                changes
            );
        }
    }
}

std::string target_of(const balancer::RouteConfig& route, const Config& config) {
    std::string files =
        route.handler == balancer::kNoTarget ? "" : "the files of " + config.route_sites[route.handler].root;
    if (route.pool == balancer::kNoTarget) {
        return files;
    }
    const std::string& pool = config.balancer.pools[route.pool].name;
    return files.empty() ? pool : files + ", then " + pool;
}

void compare_routes(const Config& before, const Config& after, Changes& changes) {
    auto entries = [&](const Config& config) {
        std::vector<Entry> result;
        for (const balancer::RouteConfig& route : config.balancer.routes) {
            std::string name = (route.host.empty() ? "any host" : route.host) + " " +
                               (route.path.empty() ? "any path" : route.path);
            result.push_back({name, std::format("{} to {}", name, target_of(route, config))});
        }
        return result;
    };
    const auto& old_ones = before.balancer.routes;
    const auto& new_ones = after.balancer.routes;
    if (old_ones.size() != new_ones.size()) {
        size_t count = new_ones.size();
        changes.push_back(
            {"routes",
             std::to_string(old_ones.size()),
             std::format("{} route{}", count, count == 1 ? "" : "s")}
        );
    }
    EntryLists lists{"routes", entries(before), entries(after)};
    Places places = compare_entries(lists, changes);
    compare_order(lists, places, changes);
    for (size_t at = 0; at < places.size(); ++at) {
        if (!places[at]) {
            continue;
        }
        std::string from = target_of(old_ones[at], before);
        std::string to = target_of(new_ones[*places[at]], after);
        if (from != to) {
            changes.push_back({"routes." + lists.before[at].name, std::move(from), std::move(to)});
        }
    }
}

}  // namespace

std::string ConfigChange::to_string() const {
    if (from.empty()) {
        return key + ": added " + to;
    }
    return to.empty() ? key + ": removed " + from : key + ": " + from + " → " + to;
}

std::vector<ConfigChange> compare(const Config& before, const Config& after) {
    Changes changes;
    if (before.site != after.site) {
        changes.push_back({"site", before.site, after.site, true});
    }
    if (before.user != after.user) {
        changes.push_back({"user", before.user, after.user, true});
    }
    compare_servers(before, after, changes);
    compare_balancer(before.balancer, after.balancer, changes);
    compare_web(before, after, changes);
    compare_app(before, after, changes);
    compare_database(before, after, changes);
    compare_admin(before, after, changes);
    compare_settings("log", {log_settings(before.log), log_settings(after.log)}, changes);
    compare_pools(before, after, changes);
    compare_routes(before, after, changes);
    compare_drills(before, after, changes);
    return changes;
}

}  // namespace node
