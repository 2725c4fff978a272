// What is done while the primary answers: it is opened, its replicas follow and acknowledge, and what the
// cluster promises is kept true. A part of decide(); pure.
#pragma once

#include "cluster/decide.h"

namespace cluster {

// The primary of `topology` has a sight in `seen` (asserted).
[[nodiscard]] Decision care_for_replicas(
    const Policy& policy,
    const upstream::Topology& topology,
    const Observation& seen
);

}  // namespace cluster
