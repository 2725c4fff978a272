// Sites of the whiteboard's shapes as their servers tell of them when all is well: for the tests of what is
// made of that.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/status/site_troubles.h"

namespace node {

inline const std::vector<std::string> kAllRoles{"web", "app", "router", "database"};

using ShapePlan = std::vector<std::pair<std::string, std::vector<std::string>>>;

inline FrontStatus shape_front(std::string tier, uint64_t requests) {
    FrontStatus front;
    front.tier = std::move(tier);
    front.requests_total = requests;
    return front;
}

inline PoolStatus shape_pool(std::string tier, std::string name, const std::vector<std::string>& backends) {
    PoolStatus pool;
    pool.name = std::move(name);
    pool.tier = std::move(tier);
    pool.mode = "active-active";
    for (const std::string& backend : backends) {
        BackendStatus status;
        status.name = backend;
        status.state = "up";
        status.weight = status.configured_weight = 100;
        status.effective_weight = 100;
        status.is_in_rotation = true;
        pool.backends.push_back(std::move(status));
    }
    return pool;
}

inline std::vector<std::string> names_with(
    const std::vector<PlannedServer>& whiteboard,
    std::string_view role
) {
    std::vector<std::string> names;
    for (const PlannedServer& one : whiteboard) {
        if (one.has(role)) {
            names.push_back(one.server);
        }
    }
    return names;
}

// Of a site whose first database is primary.
inline RouterStatus shape_router(const std::vector<std::string>& databases) {
    using namespace std::chrono_literals;
    RouterStatus router;
    router.clients = 3;
    router.questions_total = 500;
    for (const std::string& name : databases) {
        bool is_primary = name == databases.front();
        RouterNodeStatus node{.name = name, .state = is_primary ? "primary" : "replica"};
        node.is_fit = node.is_in_rotation = !is_primary;
        node.weight = node.configured_weight = 100;
        node.lag = is_primary ? std::nullopt : std::optional<core::Duration>(2ms);
        router.nodes.push_back(std::move(node));
    }
    return router;
}

// The first leads.
inline DatabaseStatus shape_database(const std::vector<std::string>& databases, const std::string& self) {
    DatabaseStatus database;
    database.agent.emplace();
    database.agent->state = "running";
    database.epoch = 1;
    database.primary = databases.front();
    database.gate = "open";
    database.durability = databases.size() > 1 ? "lossless" : "async";
    database.leads = self == databases.front();
    for (const std::string& name : databases) {
        if (database.leads) {
            bool is_primary = name == databases.front();
            database.servers.push_back(
                {.server = name, .standing = is_primary ? "primary" : "acker", .answers = true}
            );
        }
    }
    return database;
}

inline void add_shape_fronts(
    ServerStatus& status,
    const std::vector<PlannedServer>& whiteboard,
    const PlannedServer& self
) {
    const std::vector<std::string> instances{"app-1", "app-2"};
    if (self.has("balancer")) {
        status.listeners.insert(status.listeners.begin(), "http://127.0.0.1:8080");
        status.fronts.push_back(shape_front("balancer", 4000));
        status.pools.push_back(shape_pool("balancer", "web", names_with(whiteboard, "web")));
    }
    if (self.has("web")) {
        status.fronts.push_back(shape_front("web", 2000));
        bool is_own = self.has("app");
        status.pools.push_back(shape_pool("web", "app", is_own ? instances : names_with(whiteboard, "app")));
    } else if (self.has("app")) {
        status.fronts.push_back(shape_front("app", 2000));
        status.pools.push_back(shape_pool("app", "app", instances));
    }
}

// One server of the plan; the first with the role `database` is primary, and leads.
inline ServerStatus shape_server(const std::vector<PlannedServer>& whiteboard, const PlannedServer& self) {
    using namespace std::chrono_literals;
    ServerStatus status;
    status.site = "www.foobar.com";
    status.server = self.server;
    status.pid = 100;
    status.uptime = 60s;
    status.whiteboard = whiteboard;
    status.listeners = {"http://" + self.address + ":8081"};
    add_shape_fronts(status, whiteboard, self);
    if (self.has("app")) {
        status.app.emplace();
        status.app->instances = {
            {.name = "app-1", .state = "up", .address = {}, .last_end = {}},
            {.name = "app-2", .state = "up", .address = {}, .last_end = {}},
        };
    }
    std::vector<std::string> databases = names_with(whiteboard, "database");
    if (self.has("router")) {
        status.router = shape_router(databases);
    }
    if (self.has("database")) {
        status.database = shape_database(databases, self.server);
    }
    return status;
}

inline SiteStatus shape_of(const ShapePlan& plan) {
    std::vector<PlannedServer> whiteboard;
    for (const auto& [name, roles] : plan) {
        std::string address = "127.0.0." + std::to_string(11 + whiteboard.size());
        whiteboard.push_back({.server = name, .address = std::move(address), .roles = roles});
    }
    SiteStatus site;
    for (const PlannedServer& planned : whiteboard) {
        site.servers.push_back(shape_server(whiteboard, planned));
    }
    return site;
}

inline SiteStatus three_servers() {
    return shape_of({{"lb1", {"balancer"}}, {"web1", kAllRoles}, {"web2", kAllRoles}});
}

inline SiteStatus apart() {
    return shape_of({{"lb1", {"balancer"}}, {"web1", {"web"}}, {"app1", {"app", "router", "database"}}});
}

inline SiteStatus two_servers() {
    return shape_of({{"one", {"balancer", "web", "app", "router", "database"}}, {"two", kAllRoles}});
}

inline SiteStatus four_servers() {
    return shape_of({{"lb1", {"balancer"}}, {"web1", kAllRoles}, {"web2", kAllRoles}, {"web3", kAllRoles}});
}

inline SiteStatus active_passive() {
    SiteStatus site = three_servers();
    PoolStatus& pool = site.servers.front().pools.front();
    pool.mode = "active-passive";
    pool.backends[1].is_in_rotation = false;
    return site;
}

// The server's process is gone, and the others have noticed.
inline void kill_server(SiteStatus& site, const std::string& name) {
    std::erase_if(site.servers, [&](const ServerStatus& server) { return server.server == name; });
    site.silent.push_back({.server = name, .why = "its process is gone"});
    for (ServerStatus& server : site.servers) {
        for (PoolStatus& pool : server.pools) {
            for (BackendStatus& backend : pool.backends) {
                if (backend.name == name) {
                    backend.state = "down";
                    backend.is_in_rotation = false;
                }
            }
        }
        if (server.router) {
            for (RouterNodeStatus& node : server.router->nodes) {
                if (node.name == name) {
                    node.state = "unreachable";
                    node.is_fit = node.is_in_rotation = false;
                    node.lag.reset();
                    node.reason = "connect: Connection refused";
                }
            }
        }
    }
}

}  // namespace node
