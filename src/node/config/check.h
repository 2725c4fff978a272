// What contradicts in a configuration whose keys are each right: routes that can never match, roles that
// nobody has, sections that are missing.
#pragma once

#include <span>

#include "balancer/config.h"
#include "node/config/config.h"
#include "node/config/error.h"
#include "node/config/section.h"

namespace node {

struct PlacedRoute {
    balancer::RouteConfig route;
    Position position;
};

// Reports each route that an earlier one covers: the earlier host is the same, any, or a wildcard above it,
// and the earlier path is the same, any, "raw" or a prefix of it ("/*" is any path; only "raw" covers "raw",
// which alone takes paths that cannot be normalised). Several earlier routes never cover one together that
// none of them covers alone: hosts and paths are open-ended.
void refuse_unreachable_routes(std::span<const PlacedRoute> routes, Problems& problems);

// Of a file without other problems: reports a file that serves nothing, a section whose role no server has, a
// role whose section is missing, and a balancer that leads nowhere; settles config.web (config/web.h).
void check_tiers(Section& root, Config& config);

}  // namespace node
