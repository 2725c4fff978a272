// The guard of one instance: a small process between the server and the site's program, so that nothing that
// the program starts outlives Trilith, whatever ends Trilith.
//
// The supervisor runs `trilith exec-child …`; that process starts the program in a session of its own, tells
// the supervisor how it began and ended, and passes signals on. It adopts whatever the program leaves behind
// (PR_SET_CHILD_SUBREAPER). When the program has ended, when the supervisor says so, and when the supervisor
// is gone (kill -9 too: its end of the channel closes), it kills every descendant and ends.
#pragma once

namespace child {

inline constexpr const char* kExecChildVerb = "exec-child";

// Runs the guard; `argv[1]` is the verb, as in main(). Returns the process's exit status: 0 when the program
// was run and all its processes are gone, 1 when it could not be started or some could not be killed, 2 for
// words that the supervisor did not write. Single-threaded; the calling process does nothing else.
[[nodiscard]] int exec_child(int argc, char** argv);

}  // namespace child
