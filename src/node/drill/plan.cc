#include "node/drill/plan.h"

#include <algorithm>
#include <format>

#include "node/config/servers.h"

namespace node {

using core::ErrorKind;
using core::fail;

namespace {

constexpr Role kRoles[]{Role::balancer, Role::web, Role::app, Role::database, Role::router};

size_t servers_with(const Config& config, Role role) {
    return static_cast<size_t>(std::ranges::count_if(config.servers, [&](const ServerConfig& server) {
        return server.roles.has(role);
    }));
}

// Whether operators may take it away: each of its roles is another server's, too. A balancer is not spared by
// anybody, since nothing sends to it.
bool is_spared(const ServerConfig& server, const Config& config) {
    bool has_any = server.roles.has(Role::web) || server.roles.has(Role::app);
    return has_any && !server.roles.has(Role::balancer) && std::ranges::all_of(kRoles, [&](Role role) {
        return !server.roles.has(role) || servers_with(config, role) > 1;
    });
}

bool is_run_here(const SiteView& view, const std::string& server) {
    return !view.up || std::ranges::contains(view.up->servers, server, &UpServerStatus::server);
}

DrillEntry entry_of(const ServerConfig& server, const Config& config) {
    DrillEntry entry{
        .name = server.name,
        .kind = DrillKind::server,
        .server = server.name,
        .does = {},
        .single = {}
    };
    std::string roles;
    for (Role role : kRoles) {
        if (!server.roles.has(role)) {
            continue;
        }
        roles += (roles.empty() ? "" : ", ") + std::string(role_name(role));
        if (entry.single.empty() && servers_with(config, role) == 1) {
            entry.single = std::format("no other server has the role {}", role_name(role));
        }
    }
    entry.does = std::format("kill -9 of the server {} ({})", server.name, roles);
    return entry;
}

void add_database_drills(const Config& config, std::vector<DrillEntry>& entries) {
    size_t count = servers_with(config, Role::database);
    if (!config.cluster || count == 0) {
        return;
    }
    std::string single = count == 1 ? "there is no other database server" : "";
    entries.push_back({"primary", DrillKind::primary, "", "kill -9 of the mariadbd of the primary", single});
    entries.push_back(
        {"freeze-primary", DrillKind::freeze_primary, "", "SIGSTOP to the mariadbd of the primary", single}
    );
    if (count > 1) {
        entries.push_back({"replica", DrillKind::replica, "", "kill -9 of the mariadbd of a replica", ""});
    }
}

void add_order_drills(const Config& config, const SiteView& view, std::vector<DrillEntry>& entries) {
    std::vector<std::string> among;
    for (const ServerConfig& server : config.servers) {
        if (is_spared(server, config) && is_run_here(view, server.name)) {
            among.push_back(server.name);
        }
    }
    std::string single = among.empty() ? "no server has another beside it in all of its roles" : "";
    entries.push_back({
        "weights",
        DrillKind::weights,
        "",
        "a server's weight becomes 1, then 256, then what it was",
        single,
        among,
    });
    entries.push_back({
        "drain",
        DrillKind::drain,
        "",
        "a server is drained until it can be switched off, and enabled again",
        single,
        among,
    });
}

// What an operator ordered would be taken back with what the drill orders.
bool has_override(const SiteView& view, std::string_view server) {
    auto is_of = [&](const auto& one) { return one.name == server && !one.override.is_empty(); };
    return std::ranges::any_of(view.servers, [&](const ServerStatus& status) {
        bool is_in_pool = std::ranges::any_of(status.pools, [&](const PoolStatus& pool) {
            return std::ranges::any_of(pool.backends, is_of);
        });
        return is_in_pool || (status.router && std::ranges::any_of(status.router->nodes, is_of));
    });
}

// For a drain the primary's server, which has the most to give away.
core::Result<DrillTarget> meet_spared(const DrillEntry& entry, const SiteView& view) {
    const DatabaseStatus* leader = find_leader(view);
    bool wants_primary = entry.kind == DrillKind::drain && leader != nullptr &&
                         std::ranges::contains(entry.among, leader->primary);
    for (const std::string& server : entry.among) {
        if (wants_primary && server != leader->primary) {
            continue;
        }
        if (has_override(view, server)) {
            return fail(
                ErrorKind::refused,
                std::format("{0} has overrides of yours, which it would take back: trilith undo {0}", server)
            );
        }
        return DrillTarget{entry.kind, server, 0, "the server " + server};
    }
    return fail(ErrorKind::not_found, entry.single);
}

core::Result<DrillTarget> meet_server(const DrillEntry& entry, const SiteView& view) {
    if (view.up) {
        auto server = std::ranges::find(view.up->servers, entry.server, &UpServerStatus::server);
        if (server != view.up->servers.end() && server->pid != 0) {
            return DrillTarget{
                entry.kind,
                entry.server,
                server->pid,
                std::format("the server {} (pid {})", entry.server, server->pid)
            };
        }
    }
    return fail(ErrorKind::not_found, std::format("{} does not run here", entry.server));
}

core::Result<DrillTarget> meet_mariadbd(const DrillEntry& entry, const SiteView& view) {
    const DatabaseStatus* leader = find_leader(view);
    if (leader == nullptr || leader->primary.empty()) {
        return fail(ErrorKind::not_found, "there is no primary just now");
    }
    bool wants_primary = entry.kind != DrillKind::replica;
    for (const ServerStatus& server : view.servers) {
        bool is_primary = server.server == leader->primary;
        bool has_process = server.database && server.database->agent && server.database->agent->pid != 0;
        if (has_process && is_primary == wants_primary && is_run_here(view, server.server)) {
            int64_t pid = server.database->agent->pid;
            return DrillTarget{
                entry.kind,
                server.server,
                pid,
                std::format(
                    "the {}'s mariadbd on {} (pid {})",
                    is_primary ? "primary" : "replica",
                    server.server,
                    pid
                )
            };
        }
    }
    return fail(
        ErrorKind::not_found,
        wants_primary ? std::format("the primary's mariadbd, on {}, does not run here", leader->primary)
                      : "no replica's mariadbd runs here"
    );
}

core::Result<DrillTarget> meet_instance(const DrillEntry& entry, const SiteView& view) {
    for (const ServerStatus& server : view.servers) {
        if (!server.app || !is_run_here(view, server.server)) {
            continue;
        }
        for (const InstanceStatus& instance : server.app->instances) {
            if (instance.pid != 0) {
                return DrillTarget{
                    entry.kind,
                    server.server,
                    instance.pid,
                    std::format("{} on {} (pid {})", instance.name, server.server, instance.pid)
                };
            }
        }
    }
    return fail(ErrorKind::not_found, "no instance of the application runs here");
}

}  // namespace

std::vector<DrillEntry> drills_of(const Config& config, const SiteView& view) {
    std::vector<DrillEntry> entries{
        {"reload", DrillKind::reload, "", "every server reads the configuration file again", ""},
    };
    add_order_drills(config, view, entries);
    size_t with_app = servers_with(config, Role::app);
    if (config.app && with_app > 0) {
        bool is_single = with_app == 1 && config.app->program.instances == 1;
        entries.push_back({
            "app",
            DrillKind::app,
            "",
            "kill -9 of an instance of the application",
            is_single ? "there is no other instance" : "",
        });
    }
    add_database_drills(config, entries);
    for (const ServerConfig& server : config.servers) {
        if (is_run_here(view, server.name)) {
            entries.push_back(entry_of(server, config));
        }
    }
    return entries;
}

core::Result<DrillTarget> choose_target(const DrillEntry& entry, const SiteView& view) {
    switch (entry.kind) {
        case DrillKind::server: return meet_server(entry, view);
        case DrillKind::primary:
        case DrillKind::freeze_primary:
        case DrillKind::replica: return meet_mariadbd(entry, view);
        case DrillKind::app: return meet_instance(entry, view);
        case DrillKind::weights:
        case DrillKind::drain: return meet_spared(entry, view);
        case DrillKind::reload: break;
    }
    if (view.servers.empty()) {
        return fail(ErrorKind::not_found, "no server answers");
    }
    return DrillTarget{entry.kind, "", 0, "every server"};
}

bool is_replaced(const DrillTarget& target, const SiteView& view) {
    if (is_order(target.kind)) {
        return true;
    }
    if (target.kind == DrillKind::server) {
        return view.up && std::ranges::any_of(view.up->servers, [&](const UpServerStatus& server) {
            return server.server == target.server && server.pid != 0 && server.pid != target.pid;
        });
    }
    const ServerStatus* server = find_server(view, target.server);
    if (server == nullptr) {
        return false;
    }
    if (target.kind == DrillKind::app) {
        return server->app &&
               !std::ranges::contains(server->app->instances, target.pid, &InstanceStatus::pid);
    }
    bool has_process = server->database && server->database->agent && server->database->agent->pid != 0;
    bool is_another = has_process && server->database->agent->pid != target.pid;
    bool goes_on = target.kind == DrillKind::freeze_primary && view.up &&
                   !std::ranges::contains(view.up->frozen, target.pid, &FrozenStatus::pid);
    return is_another || (has_process && goes_on);
}

}  // namespace node
