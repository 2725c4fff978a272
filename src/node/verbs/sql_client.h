// `trilith sql`: the mariadb client, logged in as the databases' administrator.
#pragma once

#include "node/verbs/command_line.h"
#include "node/verbs/console.h"

namespace node {

// Becomes the client at the primary, or at the server that was asked for. Returns only where that cannot be:
// the exit status.
[[nodiscard]] int run(const SqlOptions& options, Console& console);

}  // namespace node
