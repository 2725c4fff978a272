// The last steps between a forked guard and the site's program.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "child/child_spec.h"

namespace child {

// What went wrong, as it travels through the close-on-exec pipe. Nothing comes through it when the program
// runs.
struct StartFailure {
    StartStep step = StartStep::fork;
    int code = 0;
};

// In the forked child: becomes the program, or writes a StartFailure to `failures` and exits. `guard` is
// whose child this is. The program gets: a session and process group of its own; SIGKILL when the guard dies;
// no signal blocked or ignored; its limits, its user, its directory; descriptors 0 (/dev/null), 1 and 2
// (pipes), 3 (the listening socket, if there is one), the next (what is held, if anything) and no other;
// LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES as sd_listen_fds(3) wants them.
[[noreturn]] void become_program(
    const ChildSpec& spec,
    std::vector<std::string> environment,
    pid_t guard,
    int failures
);

}  // namespace child
