// `trilith logs`: the log files of the servers of this machine as one stream, by time.
#pragma once

#include "node/verbs/command_line.h"
#include "node/verbs/console.h"

namespace node {

// Prints the newest lines, and with --follow what comes, until it is ended. 1: there is no log; 2: several
// sites have one, and none is named.
[[nodiscard]] int run(const LogsOptions& options, Console& console);

}  // namespace node
