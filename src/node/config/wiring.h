// What follows from the roles of a server, in words: where it listens, what it hands on to whom, what its
// program is told, from whom its database copies.
#pragma once

#include <string>
#include <vector>

#include "node/config/config.h"

namespace node {

// A sentence a role, in the order of the tiers; `server` is one of config.servers. Secrets are not in it.
[[nodiscard]] std::vector<std::string> wiring_of(const Config& config, const ServerConfig& server);

}  // namespace node
