// The verb `up`: runs every server of the file on this machine, each in a process of its own, in the
// foreground.
#pragma once

#include "node/command_line.h"

namespace node {

// Starts one `serve` process a server, starts it again when it dies (with growing pauses), and stops all of
// them in order on SIGINT or SIGTERM; a second signal stops them at once. Passes SIGHUP on. Returns the exit
// status: 0 all stopped in order, 1 a server could not be started or had to be cut, 2 wrong configuration.
[[nodiscard]] int up(const UpOptions& options);

}  // namespace node
