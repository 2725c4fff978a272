// trilith drill: makes a failure happen on purpose, and reports what clients saw of it.
#pragma once

#include "node/verbs/command_line.h"
#include "node/verbs/console.h"

namespace node {

// 0: passed; 1: an objective was not met, or it could not be done; 2: there is no such drill.
[[nodiscard]] int run(const DrillOptions& options, Console& console);

}  // namespace node
