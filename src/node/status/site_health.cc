#include "node/status/site_health.h"

#include <algorithm>
#include <format>

namespace node {

namespace {

using Missing = std::vector<MissingPart>;

void look_at_servers(const SiteView& view, Missing& missing) {
    auto add = [&](const std::string& server, std::string_view what) {
        missing.push_back({"servers", std::format("{}: {}", server, what)});
    };
    if (view.up) {
        for (const UpServerStatus& server : view.up->servers) {
            if (server.pid == 0) {
                add(server.server, "it does not run");
            } else if (find_server(view, server.server) == nullptr) {
                add(server.server, "it does not answer");
            } else if (!server.is_ready) {
                add(server.server, "it is not ready");
            }
        }
    }
    for (const ServerStatus& server : view.servers) {
        if (server.is_draining) {
            add(server.server, "it is ending");
        }
    }
    if (view.servers.empty() && missing.empty()) {
        missing.push_back({"servers", "no server answers"});
    }
}

void look_at_pools(const SiteView& view, const Config& config, Missing& missing) {
    for (const ServerStatus& server : view.servers) {
        for (const PoolStatus& pool : server.pools) {
            bool is_balanced =
                std::ranges::contains(config.balancer.pools, pool.name, &upstream::PoolConfig::name);
            for (const BackendStatus& backend : pool.backends) {
                if (backend.state != "up") {
                    missing.push_back(
                        {is_balanced ? "balancer" : "web",
                         std::format("{}: {}/{} is {}", server.server, pool.name, backend.name, backend.state)
                        }
                    );
                }
            }
        }
    }
}

void look_at_instances(const SiteView& view, Missing& missing) {
    for (const ServerStatus& server : view.servers) {
        if (!server.app) {
            continue;
        }
        if (server.app->restart.is_running) {
            missing.push_back({"app", std::format("{}: a restart runs", server.server)});
        }
        for (const InstanceStatus& instance : server.app->instances) {
            if (instance.state != "up" || instance.pid == 0) {
                missing.push_back(
                    {"app", std::format("{}: {} is {}", server.server, instance.name, instance.state)}
                );
            }
        }
    }
}

void look_at_routers(const SiteView& view, Missing& missing) {
    for (const ServerStatus& server : view.servers) {
        if (!server.router) {
            continue;
        }
        bool has_primary = false;
        for (const RouterNodeStatus& node : server.router->nodes) {
            bool is_primary = node.state == "primary";
            has_primary = has_primary || is_primary;
            if (!is_primary && node.state != "removed" && !node.is_fit) {
                missing.push_back(
                    {"sql router",
                     std::format("{}: {} is {} and gets no reads", server.server, node.name, node.state)}
                );
            }
        }
        if (!has_primary) {
            missing.push_back({"sql router", std::format("{}: it sees no primary", server.server)});
        }
    }
}

void look_at_members(const DatabaseStatus& leader, Missing& missing) {
    auto add = [&](const std::string& server, std::string_view what) {
        missing.push_back({"database", std::format("{}: {}", server, what)});
    };
    for (const DatabaseServerStatus& server : leader.servers) {
        bool is_primary = server.server == leader.primary;
        if (!server.answers) {
            add(server.server, "its database does not answer");
        } else if (is_primary && server.is_read_only) {
            add(server.server, "the primary takes no writes");
        } else if (!is_primary && server.standing != "acker" && server.standing != "bystander") {
            add(server.server, "its database is " + server.standing);
        } else if (!is_primary && server.standing == "acker" && !server.acknowledges) {
            add(server.server, "its database does not acknowledge");
        }
    }
}

void look_at_database(const SiteView& view, const Config& config, Missing& missing) {
    if (!config.cluster) {
        return;
    }
    auto add = [&](std::string sentence) { missing.push_back({"database", std::move(sentence)}); };
    for (const ServerStatus& server : view.servers) {
        if (server.database && server.database->agent && server.database->agent->state != "running") {
            add(std::format("{}: mariadbd is {}", server.server, server.database->agent->state));
        }
    }
    const DatabaseStatus* leader = find_leader(view);
    if (leader == nullptr) {
        add("no server leads the databases");
        return;
    }
    look_at_members(*leader, missing);
    if (leader->gate != "open") {
        add("the gate is " + leader->gate);
    }
    if (leader->order.is_running) {
        add(std::format("a {} runs", leader->order.verb));
    }
    bool is_to_be_lossless =
        config.cluster->durability == upstream::Durability::lossless && leader->servers.size() > 1;
    if (is_to_be_lossless && leader->durability != "lossless") {
        add("writes are acknowledged by the primary alone");
    }
}

}  // namespace

const ServerStatus* find_server(const SiteView& view, std::string_view server) {
    auto found = std::ranges::find(view.servers, server, &ServerStatus::server);
    return found == view.servers.end() ? nullptr : &*found;
}

const DatabaseStatus* find_leader(const SiteView& view) {
    auto found = std::ranges::find_if(view.servers, [](const ServerStatus& server) {
        return server.database && server.database->leads;
    });
    return found == view.servers.end() ? nullptr : &*found->database;
}

std::vector<MissingPart> missing_parts(const SiteView& view, const Config& config) {
    Missing missing;
    look_at_servers(view, missing);
    look_at_pools(view, config, missing);
    look_at_instances(view, missing);
    look_at_routers(view, missing);
    look_at_database(view, config, missing);
    return missing;
}

}  // namespace node
