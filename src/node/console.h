// What a verb has around it: passed in, so that a verb runs in a test as it runs in a shell.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "node/site_paths.h"
#include "runtime/os.h"

namespace node {

// Zero where it is not known.
struct TerminalSize {
    size_t columns = 0;
    size_t rows = 0;
};

struct Console {
    runtime::Os& os;
    Environment environment;
    std::function<void(std::string_view)> out;
    std::function<void(std::string_view)> err;
    bool is_terminal = false;  // `out` is watched by somebody: colours, progress in place
    std::function<TerminalSize()> terminal_size;
};

// The console of this process: standard output and standard error.
[[nodiscard]] Console process_console(runtime::Os& os);

// Nothing happens for so long.
void pause(runtime::Os& os, core::Duration duration);

}  // namespace node
