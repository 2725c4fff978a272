#include "node/status/site_troubles.h"

#include <algorithm>
#include <format>
#include <utility>

#include "node/terminal/text_table.h"

namespace node {

namespace {

// Each sentence once: what all routers see is one trouble.
class Troubles {
public:
    void add(std::string sentence) {
        if (std::ranges::find(found_, sentence) == found_.end()) {
            found_.push_back(std::move(sentence));
        }
    }

    [[nodiscard]] std::vector<std::string> take() { return std::move(found_); }

private:
    std::vector<std::string> found_;
};

std::string with_reason(std::string sentence, const std::string& reason) {
    return reason.empty() ? sentence : sentence + ": " + printable(reason);
}

void look_at_pools(const ServerStatus& server, Troubles& troubles) {
    for (const PoolStatus& pool : server.pools) {
        if (std::ranges::none_of(pool.backends, &BackendStatus::is_in_rotation)) {
            troubles.add(std::format("{}: no backend of pool {} takes requests", server.server, pool.name));
        }
    }
}

void look_at_router(const ServerStatus& server, Troubles& troubles) {
    bool has_primary = false;
    for (const RouterNodeStatus& node : server.router->nodes) {
        has_primary = has_primary || node.state == "primary";
        bool is_out = node.override.admin == "disable" || node.state == "removed";
        bool is_replica = node.state == "replica";
        if (is_out || node.state == "primary" || node.state == "checking" || (is_replica && node.is_fit)) {
            continue;
        }
        std::string what = is_replica ? "takes no reads" : "is " + node.state;
        troubles.add(with_reason(std::format("database {} {}", node.name, what), node.reason));
    }
    if (!has_primary) {
        troubles.add(server.server + ": the SQL router sees no primary that takes writes");
    }
}

void look_at_database(const ServerStatus& server, Troubles& troubles) {
    const DatabaseStatus& database = *server.database;
    if (database.epoch == 0) {
        troubles.add("the database cluster has no primary yet");
    }
    if (database.agent && database.agent->state != "running") {
        troubles.add(with_reason(
            std::format("mariadbd of {} is {}", server.server, database.agent->state),
            database.agent->reason
        ));
    }
    for (const DatabaseServerStatus& one : database.servers) {
        if (!one.answers) {
            troubles.add(with_reason(std::format("mariadbd of {} does not answer", one.server), one.reason));
        } else if (one.standing == "diverged") {
            troubles.add(std::format("the data of {} went apart: see trilith rejoin", one.server));
        } else if (!one.reason.empty()) {
            troubles.add(with_reason(std::format("{} does not replicate", one.server), one.reason));
        }
    }
}

}  // namespace

const ServerStatus* SiteStatus::find(std::string_view server) const {
    auto found = std::ranges::find(servers, server, &ServerStatus::server);
    return found == servers.end() ? nullptr : &*found;
}

std::span<const PlannedServer> SiteStatus::whiteboard() const {
    return servers.empty() ? std::span<const PlannedServer>() : servers.front().whiteboard;
}

void add_missing(SiteStatus& site) {
    for (const PlannedServer& planned : site.whiteboard()) {
        bool is_told = site.find(planned.server) != nullptr ||
                       std::ranges::contains(site.silent, planned.server, &SilentServer::server);
        if (planned.is_local && !is_told) {
            site.silent.push_back({.server = planned.server, .why = "it does not run"});
        }
    }
}

std::vector<std::string> troubles_of(const SiteStatus& site) {
    Troubles troubles;
    for (const SilentServer& silent : site.silent) {
        troubles.add(with_reason(silent.server + " does not answer", silent.why));
    }
    bool has_leader = false;
    bool has_database = false;
    for (const ServerStatus& server : site.servers) {
        if (server.is_draining) {
            troubles.add(server.server + " is stopping");
        }
        look_at_pools(server, troubles);
        if (server.router) {
            look_at_router(server, troubles);
        }
        if (server.database) {
            look_at_database(server, troubles);
            has_database = has_database || server.database->agent.has_value();
            has_leader = has_leader || server.database->leads;
        }
    }
    if (has_database && !has_leader) {
        troubles.add("no server leads the databases");
    }
    return troubles.take();
}

}  // namespace node
