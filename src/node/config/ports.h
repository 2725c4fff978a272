// Where each server listens: for clients, for other tiers, for metrics.
#pragma once

#include <optional>

#include "node/config/config.h"
#include "node/config/section.h"

namespace node {

// Where [balancer] listens: what is written, else port 8080 of the one server with that role. Reports a
// missing `listen` where servers disagree, and addresses that one server would open twice. Of a file without
// other problems.
void check_listeners(Section& root, Config& config);

// Where that server answers GET /metrics; nothing: only on its control socket. "http://*:9180" in a file of
// several servers is the port at each one's own address, so that those of one machine do not meet.
[[nodiscard]] std::optional<net::Address> admin_address(const Config& config, const ServerConfig& server);

}  // namespace node
