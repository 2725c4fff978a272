// The verb `check`: reads a configuration as `serve` would, and prints what is wrong with it or all that
// follows from it.
#pragma once

#include "node/verbs/command_line.h"
#include "node/verbs/console.h"

namespace node {

// Returns the exit status: 0 good; 2 refused, with a line FILE:LINE:COLUMN: message a problem on standard
// error, of the file or of what it names on this machine. What would fail later is a line with "warning:".
// With --json, standard output has {"valid":…,"site":…,"errors":[…]}, or with --explain the configuration as
// it works.
[[nodiscard]] int check(const CheckOptions& options, Console& console);

}  // namespace node
