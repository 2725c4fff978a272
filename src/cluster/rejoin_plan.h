// Whether and how a server that was left alone becomes a replica again: a pure function of what is recorded
// and seen.
#pragma once

#include "cluster/orders.h"
#include "cluster/view.h"
#include "core/result.h"
#include "upstream/topology.h"

namespace cluster {

struct RejoinPlan {
    OrderPlan plan{};
    upstream::Topology next{};  // what is to be recorded; the rest follows from that
};

// conflict, not_found, invalid: why it is not done, in a sentence that names the way out.
[[nodiscard]] core::Result<RejoinPlan> plan_rejoin(
    const upstream::Topology& topology,
    const Observation& seen,
    const Order& order
);

}  // namespace cluster
