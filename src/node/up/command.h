// The verb `up`: runs the servers of the file that live on this machine, each in a process of its own, in the
// foreground.
#pragma once

#include "node/verbs/command_line.h"

namespace node {

// Starts one `serve` process a server whose address is of this machine (serve/site_places.h), and tells which
// it leaves to others; tells when each is ready, or late (serve/readiness.h), and when the site is up. One
// that dies before it has ever listened ends everything; later it is started again (with growing pauses).
// Stops all in order on SIGINT or SIGTERM; a second signal stops them at once. Passes SIGHUP on. On a
// terminal it shows its servers in a block that is redrawn (up/progress.h). Returns the exit status: 0 all
// stopped in order, 1 the site runs already, a server could not be started or had to be cut, 2 wrong
// configuration, or one without a server of this machine.
[[nodiscard]] int up(const UpOptions& options);

}  // namespace node
