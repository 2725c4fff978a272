// The verb `status`: the whole site at a glance, for people as drawing and table, for scripts as JSON and an
// exit status.
#pragma once

#include "node/verbs/command_line.h"
#include "node/verbs/console.h"

namespace node {

// Asks every server and prints; a drawing takes two looks, so that it has rates. Returns the exit status: 0
// healthy, 1 something is wrong (status/site_troubles.h: in one line on `err`, or in the picture where it is
// redrawn in place) or the site does not run, 2 wrong usage (several sites run and none is named). With
// --watch it goes on until the site is gone.
[[nodiscard]] int run(const StatusOptions& options, Console& console);

}  // namespace node
