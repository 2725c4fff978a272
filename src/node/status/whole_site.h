// A site that is whole, for the tests of what a drill looks at: lb1 balances web1 and web2, each web server,
// application and database; web1 is primary and leads.
#pragma once

#include <string_view>

#include "node/status/site_health.h"

namespace node {

inline constexpr std::string_view kDrillSite = R"(
[servers]
lb1 = { address = "127.0.0.1", roles = ["balancer"] }
web1 = { address = "127.0.0.2", roles = ["web", "app", "database"] }
web2 = { address = "127.0.0.3", roles = ["web", "app", "database"] }
[balancer]
listen = "http://127.0.0.1:8080"
[web]
root = "public"
[app]
command = "app"
instances = 1
[database]
name = "shop"
)";

inline ServerStatus web_server(std::string name, int64_t first_pid) {
    bool is_first = name == "web1";
    ServerStatus server;
    server.server = std::move(name);
    server.pools = {{.name = "app", .tier = "web", .mode = {}, .algorithm = {}, .backends = {}}};
    server.pools[0].backends.resize(1);
    server.pools[0].backends[0].name = "app-1";
    server.pools[0].backends[0].state = "up";
    InstanceStatus instance;
    instance.name = "app-1";
    instance.pid = first_pid;
    instance.state = "up";
    server.app.emplace().instances = {instance};
    server.router.emplace().nodes = {
        {.name = "web1", .state = "primary"},
        {.name = "web2", .state = "replica", .is_fit = true},
    };
    DatabaseStatus& database = server.database.emplace();
    database.agent = {.state = "running", .reason = {}, .pid = first_pid + 1};
    database.primary = "web1";
    database.gate = "open";
    database.durability = "lossless";
    database.leads = is_first;
    if (is_first) {
        database.servers = {
            {.server = "web1", .standing = "primary", .answers = true, .is_read_only = false},
            {.server = "web2", .standing = "acker", .answers = true, .acknowledges = true},
        };
    }
    return server;
}

// Servers have the pids 100, 200, 300; their instances 201 and 301, their mariadbd 202 and 302.
inline SiteView whole_site() {
    ServerStatus balancer;
    balancer.server = "lb1";
    balancer.pools = {{.name = "web", .tier = "balancer", .mode = {}, .algorithm = {}, .backends = {}}};
    balancer.pools[0].backends.resize(2);
    balancer.pools[0].backends[0].name = "web1";
    balancer.pools[0].backends[1].name = "web2";
    for (BackendStatus& backend : balancer.pools[0].backends) {
        backend.state = "up";
    }
    SiteView view;
    view.up = UpStatus{
        .site = "shop",
        .pid = 1,
        .file = "/f",
        .state_dir = "/s",
        .servers = {{"lb1", 100, true}, {"web1", 200, true}, {"web2", 300, true}},
        .frozen = {},
    };
    view.servers = {std::move(balancer), web_server("web1", 201), web_server("web2", 301)};
    return view;
}

}  // namespace node
