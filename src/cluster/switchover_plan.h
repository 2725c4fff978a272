// Whether and how the primary can be moved on purpose: a pure function of what is recorded and seen.
#pragma once

#include <string>
#include <vector>

#include "cluster/orders.h"
#include "cluster/view.h"
#include "core/result.h"
#include "upstream/topology.h"

namespace cluster {

// A replica that lacks more transactions than this is too far behind to wait for while writes are held.
inline constexpr uint64_t kSwitchoverLagMax = 1000;

// `wanted`: the server to move to; empty: the replica that has most. invalid, not_found, conflict: why not
// now, in a sentence.
[[nodiscard]] core::Result<OrderPlan> plan_switchover(
    const upstream::Topology& topology,
    const Observation& seen,
    const std::string& wanted
);

}  // namespace cluster
