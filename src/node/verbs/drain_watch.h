// Waits for a drain: asks the servers again and again how many requests still run on the backends, and says
// so.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/units.h"
#include "node/verbs/console.h"
#include "node/verbs/running_site.h"

namespace node {

struct DrainWatchOptions {
    core::Duration timeout = core::Duration::max();
    std::optional<core::Instant> since{};  // what the time-out counts from; none: now
    bool is_quiet = false;                 // prints nothing
    std::string backend{};                 // waits for this one alone; empty: for all of them
    bool awaits_move = false;              // a database node is not drained as long as it is the primary
};

// `answers`: what the servers said to the order; those that refused it are not waited for. Returns when no
// request runs on any of the backends, which it prints. Fails with timed_out (says how many there are; they
// stay draining), conflict (somebody took the drain back meanwhile), not_found (the server ended, or a reload
// removed the backend).
[[nodiscard]] core::Result<void> wait_until_drained(
    const RunningSite& site,
    const std::vector<ServerAnswer>& answers,
    const DrainWatchOptions& options,
    Console& console
);

}  // namespace node
