// The verb `serve`: runs one server of the site in the foreground, as a service unit or `up` starts it.
#pragma once

#include "node/verbs/command_line.h"

namespace node {

// Returns the exit status: 0 drained and ended; 1 it could not start, or requests were cut; 2 wrong
// configuration or server.
[[nodiscard]] int serve(const ServeOptions& options);

}  // namespace node
