// Reads [[routes]].
#pragma once

#include <span>
#include <vector>

#include "balancer/config.h"
#include "node/config_section.h"

namespace node {

// The routes in the order written, with indices into `pools`. Without [[routes]] one pool takes everything;
// several without a route are reported, as is a route that can never match because an earlier one takes all
// that it would.
[[nodiscard]] std::vector<balancer::RouteConfig> read_routes(
    Section& root,
    std::span<const upstream::PoolConfig> pools
);

}  // namespace node
