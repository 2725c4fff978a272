// Reads [[routes]].
#pragma once

#include "node/config/config.h"
#include "node/config/section.h"

namespace node {

// Fills in the routes in the order written, with indices into config.balancer.pools, and the sites of those
// with a root. Without [[routes]] one pool takes everything; several without a route are reported, as is a
// route that can never match because an earlier one takes all that it would.
void read_routes(Section& root, Config& config);

}  // namespace node
