// Reads [balancer] and the tables below it, but for what it says of pools.
#pragma once

#include "balancer/config.h"
#include "node/config_section.h"

namespace node {

// Fills in listen, threads, trusted_proxies, timeouts, limits and access_log. Without `listen` that list
// stays empty.
void read_balancer(Section& balancer, balancer::Config& config);

}  // namespace node
