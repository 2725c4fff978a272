// What a verb has around it: passed in, so that a verb runs in a test as it runs in a shell.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "node/serve/site_paths.h"
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
    bool is_terminal = false;  // `out` is watched by somebody: progress in place
    bool has_colours = false;  // and wants colours
    bool is_utf8 = true;       // its characters are
    std::function<TerminalSize()> terminal_size;
};

// Whether it is a terminal that understands escape sequences, and one whose user wants colours (NO_COLOR).
[[nodiscard]] bool is_capable_terminal(int fd);
[[nodiscard]] bool has_colours(int fd);
[[nodiscard]] TerminalSize size_of_terminal(int fd);
// Whether the user's locale says that text is UTF-8.
[[nodiscard]] bool is_utf8_locale();

// The console of this process: standard output and standard error.
[[nodiscard]] Console process_console(runtime::Os& os);

// Nothing happens for so long.
void pause(runtime::Os& os, core::Duration duration);

}  // namespace node
