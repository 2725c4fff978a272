// The whiteboard in a terminal: a site's servers as boxes, tier by tier, with what runs between them.
#pragma once

#include <span>
#include <string>

#include "node/status/site_troubles.h"
#include "node/terminal/box_drawing.h"

namespace node {

struct StatusDrawingOptions {
    DrawingLayout layout;
    // What the servers said at the look before: rates and latencies are then those of the time between.
    std::span<const ServerStatus> earlier;
};

// Of one look, for the same always the same. A server with the role `balancer` has a box of its own for it,
// above; its other roles share one. Pools and databases of other addresses than the site's own servers are
// one box each.
[[nodiscard]] std::string status_drawing(const SiteStatus& site, const StatusDrawingOptions& options);

}  // namespace node
