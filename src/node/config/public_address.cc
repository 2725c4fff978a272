#include "node/config/public_address.h"

#include <algorithm>

#include "node/config/listen.h"

namespace node {

std::optional<net::Address> public_address(const Config& config) {
    if (!config.balancer.listen.empty()) {
        return config.balancer.listen.front();
    }
    auto web = std::ranges::find_if(config.servers, [](const ServerConfig& server) {
        return server.roles.has(Role::web);
    });
    if (web == config.servers.end() || !config.web) {
        return std::nullopt;
    }
    return at_port(web->address, config.web->port);
}

std::string public_address_text(const Config& config) {
    auto address = public_address(config);
    return address ? listen_text(*address) : "";
}

}  // namespace node
