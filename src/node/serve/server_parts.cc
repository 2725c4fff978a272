#include "node/serve/server_parts.h"

#include <sys/socket.h>

#include <format>

#include "node/config/derived.h"
#include "node/config/front_plan.h"
#include "node/config/listen.h"

namespace node {

namespace {

// Made of [servers], a backend a server.
bool is_derived_pool(
    const Front& front,
    const std::string& pool,
    const ServerPair& servers,
    const Config& config
) {
    if (front.tier() == kBalancerTier) {
        return pool == derived_pool_name(config);
    }
    return !runs_app(servers.self);  // else they are its own instances
}

// Of a pool that the file has itself: on the machine of `server`, as far as its address tells.
bool is_beside(const FoundBackend& found, const ServerConfig& server) {
    const net::Address& address = found.front->director().backend(found.place).config.address;
    return found.front->tier() == kBalancerTier && address.family() != AF_UNIX &&
           address.host_string() == server.address.host_string();
}

// Where visitors come in there, and nobody but they can choose another way.
void remark_own_doors(const Config& config, const ServerConfig& server, std::vector<std::string>& remarks) {
    if (server.roles.has(Role::balancer)) {
        std::string listens;
        for (const net::Address& address : config.balancer.listen) {
            listens += (listens.empty() ? "" : ", ") + listen_text(address);
        }
        remarks.push_back(std::format(
            "{} is a balancer: clients that come to it ({}) are not moved, let them go elsewhere first",
            server.name,
            listens
        ));
    }
    if (server.roles.has(Role::router) && !server.roles.has(Role::app)) {
        remarks.push_back(std::format(
            "{} has a SQL router of its own: clients that come to it are not moved, let them go elsewhere "
            "first",
            server.name
        ));
    }
}

}  // namespace

OrderTargets parts_of(const BackendOwners& owners, const Config& config, const ServerPair& servers) {
    const ServerConfig& server = servers.server;
    OrderTargets targets{.backends = {}, .server = server.name, .remarks = {}};
    for (const FoundBackend& found : all_backends(owners)) {
        if (found.is_node()) {
            if (config.cluster && found.name() == server.name) {
                targets.backends.push_back(found);
            }
            continue;
        }
        const std::string& pool = found.front->director().pools()[found.place.pool].config.name;
        if (is_derived_pool(*found.front, pool, servers, config)) {
            if (found.name() == server.name) {
                targets.backends.push_back(found);
            }
        } else if (is_beside(found, server) && !found.kept().admin) {
            targets.remarks.push_back(std::format(
                "{} is at the address of {}, in a pool that the file writes itself: drain it by its name",
                found.full_name(),
                server.name
            ));
        }
    }
    remark_own_doors(config, server, targets.remarks);
    return targets;
}

}  // namespace node
