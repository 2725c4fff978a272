// Reads [balancer] and the tables below it, but for what it says of pools; what concerns clients is the same
// for every tier.
#pragma once

#include "balancer/config.h"
#include "node/config/section.h"

namespace node {

// Fills in listen, threads, trusted_proxies, timeouts, limits and access_log. Without `listen` that list
// stays empty.
void read_balancer(Section& balancer, balancer::Config& config);

void read_threads(Section& section, uint32_t& threads);

// Reads the tables `timeouts`, `limits` and `access_log` of a tier.
void read_client_tables(
    Section& tier,
    balancer::TimeoutConfig& timeouts,
    balancer::LimitConfig& limits,
    balancer::AccessLogConfig& access_log
);

}  // namespace node
