// What is done while the primary answers: it is opened, its replicas follow and acknowledge, and what the
// cluster promises is kept true. A part of decide(); pure.
#pragma once

#include "cluster/decide.h"

namespace cluster {

// Its source has purged what it needs next: nobody can send it that any more.
[[nodiscard]] bool is_too_far_behind(const Sight& sight);

// The primary of `topology` has a sight in `seen` (asserted).
[[nodiscard]] Decision care_for_replicas(
    const Policy& policy,
    const upstream::Topology& topology,
    const Observation& seen
);

}  // namespace cluster
