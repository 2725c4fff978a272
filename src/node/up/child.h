// Starts a server's process for `trilith up`, and reads what it says on standard error where that is shown on
// a terminal.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/descriptor.h"

namespace node {

struct ServerLaunch {
    std::vector<std::string> words;  // the command line, "trilith", "serve" and so on
    int telling = -1;                // where it tells that it is ready (serve/readiness.h); -1: nowhere
    int output = -1;                 // its standard error; -1: ours
    sigset_t unblocked{};            // signals that it must hear
};

// The pid, or -errno. The server ends with us, whatever ends us, and does not hear the terminal's signals.
[[nodiscard]] pid_t launch_server(const ServerLaunch& launch);

// The lines that a process writes into a pipe.
class OutputLines {
public:
    // A new pipe for a process that is about to start: the end for it, which is not open where there is none.
    [[nodiscard]] runtime::Descriptor open();

    // Calls `line` for each that has come, with its newline.
    void look(const std::function<void(std::string_view)>& line);

private:
    static constexpr size_t kLineMax = 64 * 1024;

    runtime::Descriptor pipe_;
    std::string unread_;
};

}  // namespace node
