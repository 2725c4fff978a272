// The verbs that watch a running site, and those that renew it: metrics, reload, restart.
#pragma once

#include "node/verbs/command_line.h"
#include "node/verbs/console.h"

namespace node {

// Each asks every server of the site, prints the merged answer and returns the exit status: 0 done, 1 it
// could not be done (a line on `err` says why), 2 wrong usage (several sites run and none is named).
[[nodiscard]] int run(const ReloadOptions& options, Console& console);
// Follows it to its end, server after server.
[[nodiscard]] int run(const RestartOptions& options, Console& console);
[[nodiscard]] int run(const MetricsOptions& options, Console& console);

}  // namespace node
