// Where each server listens: for clients, for other tiers, for metrics.
#pragma once

#include "node/config/config.h"
#include "node/config/section.h"

namespace node {

// Where [balancer] listens: what is written, else port 8080 of the one server with that role. Reports a
// missing `listen` where servers disagree, and addresses that one server would open twice. Of a file without
// other problems.
void check_listeners(Section& root, Config& config);

}  // namespace node
