// The verb `explain`: where the SQL router would send a statement, and why. Needs no file and no running
// site.
#pragma once

#include "node/verbs/command_line.h"
#include "node/verbs/console.h"

namespace node {

// Returns the exit status, 0. With --json: {"target":…,"verb":…,"reason":…,"effects":{…}}.
[[nodiscard]] int explain(const ExplainOptions& options, Console& console);

}  // namespace node
