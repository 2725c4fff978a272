// The verbs that change what a running site sends where: weight, drain, disable, enable, undo.
#pragma once

#include "node/verbs/command_line.h"
#include "node/verbs/console.h"

namespace node {

// Each asks every server of the site, prints what changed and returns the exit status: 0 done, 1 it could not
// be done (a line on `err` says why), 2 wrong usage (several sites run and none is named).
[[nodiscard]] int run(const WeightOptions& options, Console& console);
// Waits until the last request on the backend has ended, and says how many there still are; a time-out leaves
// it draining. Of a server: see verbs/server_drain.h.
[[nodiscard]] int run(const DrainOptions& options, Console& console);
[[nodiscard]] int run(const DisableOptions& options, Console& console);
[[nodiscard]] int run(const EnableOptions& options, Console& console);
[[nodiscard]] int run(const UndoOptions& options, Console& console);

}  // namespace node
