// Who may take the place of a primary that is gone: pure functions of what is recorded and seen.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/orders.h"
#include "cluster/view.h"
#include "core/result.h"
#include "upstream/topology.h"

namespace cluster {

// Why no other server can be proven to have all that was acknowledged; empty: one can. Every acker must be
// heard (N - k + 1 of N with k = 1), and each must have kept what it received.
[[nodiscard]] std::string why_no_failover(const upstream::Topology& topology, const Observation& seen);

// Who takes part, and whose receivers are stopped for it. `order`: null: none was given.
[[nodiscard]] std::vector<const View*> candidates_of(
    const upstream::Topology& topology,
    const Observation& seen,
    const Order* order
);

// Of at least one candidate (asserted), the one that received most.
[[nodiscard]] const View& most_advanced(const std::vector<const View*>& candidates);

// What an ordered failover would do, of a primary that does not answer. conflict, not_found, invalid: why it
// is not done, in a sentence that names the way out.
[[nodiscard]] core::Result<OrderPlan> plan_failover(
    const upstream::Topology& topology,
    const Observation& seen,
    const Order& order
);

}  // namespace cluster
