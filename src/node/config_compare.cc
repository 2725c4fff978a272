// Walks two configurations side by side and names what differs.
#include "node/config_compare.h"

#include <algorithm>
#include <format>
#include <span>
#include <unordered_map>

#include "core/panic.h"
#include "node/config_listen.h"
#include "node/config_servers.h"
#include "node/config_settings.h"

namespace node {

namespace {

using Changes = std::vector<ConfigChange>;

constexpr size_t kNamesShownMax = 20;

std::string without_quotes(const std::string& literal) {
    bool is_text = literal.size() >= 2 && literal.front() == '"';
    return is_text ? literal.substr(1, literal.size() - 2) : literal;
}

struct SettingsPair {
    std::vector<Setting> before;
    std::vector<Setting> after;
};

void compare_settings(const std::string& table, const SettingsPair& settings, Changes& changes) {
    ASSERT(settings.before.size() == settings.after.size());
    auto shown = [](const std::string& value) { return value.empty() ? "none" : without_quotes(value); };
    for (size_t at = 0; at < settings.before.size(); ++at) {
        const Setting& before = settings.before[at];
        const Setting& after = settings.after[at];
        if (before.value != after.value) {
            changes.push_back(
                {.key = table + "." + std::string(before.key),
                 .from = shown(before.value),
                 .to = shown(after.value),
                 .needs_restart = before.applies == Applies::after_restart}
            );
        }
    }
}

// A list of entries with names of their own, for what came, went and moved.
struct Entry {
    std::string name;  // unique in the list
    std::string text;  // what is said when it comes or goes
};

struct EntryLists {
    std::string key;
    std::vector<Entry> before;
    std::vector<Entry> after;
    Applies applies = Applies::live;
};

// For each entry of `before` its place in `after`, if it is there.
using Places = std::vector<std::optional<size_t>>;

// Adds a change for each entry that is in one list only; those that went come first.
Places compare_entries(const EntryLists& lists, Changes& changes) {
    std::unordered_map<std::string_view, size_t> unmatched;
    for (size_t at = 0; at < lists.after.size(); ++at) {
        unmatched.emplace(lists.after[at].name, at);
    }
    bool needs_restart = lists.applies == Applies::after_restart;
    Places places;
    for (const Entry& entry : lists.before) {
        auto place = unmatched.find(entry.name);
        if (place == unmatched.end()) {
            changes.push_back({lists.key, entry.text, "", needs_restart});
            places.emplace_back();
        } else {
            places.emplace_back(place->second);
            unmatched.erase(place);
        }
    }
    for (const Entry& entry : lists.after) {
        if (unmatched.contains(entry.name)) {
            changes.push_back({lists.key, "", entry.text, needs_restart});
        }
    }
    return places;
}

std::string joined_names(std::span<const Entry> entries) {
    std::string text;
    for (const Entry& entry : entries.first(std::min(entries.size(), kNamesShownMax))) {
        text += (text.empty() ? "" : ", ") + entry.name;
    }
    return text + (entries.size() > kNamesShownMax ? ", …" : "");
}

// Adds a change when entries that stayed are in another order, which decides in active-passive pools and
// among routes.
void compare_order(const EntryLists& lists, const Places& places, Changes& changes) {
    size_t last = 0;
    for (const auto& place : places) {
        if (place && *place < last) {
            changes.push_back({lists.key + " in order", joined_names(lists.before), joined_names(lists.after)}
            );
            return;
        }
        last = place.value_or(last);
    }
}

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
    }
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
    compare_settings(
        "balancer.timeouts",
        {timeout_settings(before.timeouts), timeout_settings(after.timeouts)},
        changes
    );
    compare_settings(
        "balancer.limits",
        {limit_settings(before.limits), limit_settings(after.limits)},
        changes
    );
    compare_settings(
        "balancer.access_log",
        {access_log_settings(before.access_log), access_log_settings(after.access_log)},
        changes
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

void compare_pool(const upstream::PoolConfig& before, const upstream::PoolConfig& after, Changes& changes) {
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
        if (places[at]) {
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

void compare_pools(const balancer::Config& before, const balancer::Config& after, Changes& changes) {
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
            compare_pool(before.pools[at], after.pools[*places[at]], changes);
        }
    }
}

void compare_routes(const balancer::Config& before, const balancer::Config& after, Changes& changes) {
    auto pool_name = [](const balancer::Config& config, size_t route) -> const std::string& {
        return config.pools[config.routes[route].pool].name;
    };
    auto entries = [&](const balancer::Config& config) {
        std::vector<Entry> result;
        for (size_t at = 0; at < config.routes.size(); ++at) {
            const balancer::RouteConfig& route = config.routes[at];
            std::string name = (route.host.empty() ? "any host" : route.host) + " " +
                               (route.path.empty() ? "any path" : route.path);
            result.push_back({name, std::format("{} to {}", name, pool_name(config, at))});
        }
        return result;
    };
    if (before.routes.size() != after.routes.size()) {
        size_t count = after.routes.size();
        changes.push_back(
            {"routes",
             std::to_string(before.routes.size()),
             std::format("{} route{}", count, count == 1 ? "" : "s")}
        );
    }
    EntryLists lists{"routes", entries(before), entries(after)};
    Places places = compare_entries(lists, changes);
    compare_order(lists, places, changes);
    for (size_t at = 0; at < places.size(); ++at) {
        if (places[at] && pool_name(before, at) != pool_name(after, *places[at])) {
            changes.push_back(
                {"routes." + lists.before[at].name, pool_name(before, at), pool_name(after, *places[at])}
            );
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
    compare_servers(before, after, changes);
    compare_balancer(before.balancer, after.balancer, changes);
    compare_admin(before, after, changes);
    compare_pools(before.balancer, after.balancer, changes);
    compare_routes(before.balancer, after.balancer, changes);
    return changes;
}

}  // namespace node
