// What the name of a server stands for where an order is about it: the backends here by which requests and
// reads get to it.
#pragma once

#include <string>
#include <vector>

#include "node/config/config.h"
#include "node/serve/backend_name.h"

namespace node {

// What an order is about.
struct OrderTargets {
    std::vector<FoundBackend> backends;
    std::string server;                // not empty: they are what here is sent to that server
    std::vector<std::string> remarks;  // what reaches that server by other ways, a sentence each
};

struct ServerPair {
    const ServerConfig& self;    // whose `owners` are
    const ServerConfig& server;  // whom an order is about; may be the same
};

// The backends of the pools that are derived from [servers], then the node of its database. The program's
// instances are no such backends: each is reached through its server alone.
[[nodiscard]] OrderTargets parts_of(
    const BackendOwners& owners,
    const Config& config,
    const ServerPair& servers
);

}  // namespace node
