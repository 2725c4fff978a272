#include "node/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace node {

namespace {

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        ssize_t written = ::write(fd, text.data(), text.size());
        if (written <= 0) {
            return;  // the reader is gone, as that of a pipe into `head`
        }
        text.remove_prefix(static_cast<size_t>(written));
    }
}

// A terminal that understands escape sequences, and whose user did not ask to be spared them
// (https://no-color.org).
bool is_capable_terminal() {
    const char* kind = std::getenv("TERM");
    const char* no_colour = std::getenv("NO_COLOR");
    bool is_dumb = kind == nullptr || std::string_view(kind) == "dumb";
    return ::isatty(STDOUT_FILENO) == 1 && !is_dumb && (no_colour == nullptr || *no_colour == '\0');
}

TerminalSize size_of_output() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) {
        return {};
    }
    return {.columns = size.ws_col, .rows = size.ws_row};
}

}  // namespace

Console process_console(runtime::Os& os) {
    return {
        .os = os,
        .environment = read_environment(),
        .out = [](std::string_view text) { write_all(STDOUT_FILENO, text); },
        .err = [](std::string_view text) { write_all(STDERR_FILENO, text); },
        .is_terminal = is_capable_terminal(),
        .terminal_size = size_of_output,
    };
}

void pause(runtime::Os& os, core::Duration duration) {
    int poll = os.open_poll();
    std::array<runtime::PollEvent, 1> events;
    core::Instant end = os.now() + duration;
    for (core::Duration left = duration; poll >= 0 && left > core::Duration::zero(); left = end - os.now()) {
        [[maybe_unused]] int count = os.wait(poll, events, left);
    }
    if (poll >= 0) {
        os.close(poll);
    }
}

}  // namespace node
