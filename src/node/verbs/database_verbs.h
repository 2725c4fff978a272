// The verbs about the databases: switchover, failover, rejoin. Each asks the leader, and follows the order to
// its end.
#pragma once

#include <string>

#include "core/result.h"
#include "node/verbs/command_line.h"
#include "node/verbs/console.h"
#include "node/verbs/running_site.h"

namespace node {

// Moves the primary by order of `leader`, the server that leads, and follows that to its end; gives the
// sentence of how it went. `to`: empty for the replica that has most. Fails with why it was not done.
[[nodiscard]] core::Result<std::string> order_switchover(
    const RunningSite& leader,
    const std::string& to,
    Console& console
);

[[nodiscard]] int run(const SwitchoverOptions& options, Console& console);
[[nodiscard]] int run(const FailoverOptions& options, Console& console);
[[nodiscard]] int run(const RejoinOptions& options, Console& console);

}  // namespace node
