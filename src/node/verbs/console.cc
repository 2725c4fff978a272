#include "node/verbs/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <string>

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

// A variable of the environment; "" where it is not set.
std::string_view environment_variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

// By the first of the variables that say it, as the C library reads them.
bool is_utf8_locale() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        if (std::string_view locale = environment_variable(name); !locale.empty()) {
            std::string lower(locale);
            std::ranges::transform(lower, lower.begin(), [](unsigned char byte) {
                return std::tolower(byte);
            });
            return lower.contains("utf-8") || lower.contains("utf8");
        }
    }
    return false;
}

bool is_capable_terminal(int fd) {
    std::string_view kind = environment_variable("TERM");
    return ::isatty(fd) == 1 && !kind.empty() && kind != "dumb";
}

// https://no-color.org
bool has_colours(int fd) { return is_capable_terminal(fd) && environment_variable("NO_COLOR").empty(); }

TerminalSize size_of_terminal(int fd) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0) {
        return {};
    }
    return {.columns = size.ws_col, .rows = size.ws_row};
}

Console process_console(runtime::Os& os) {
    return {
        .os = os,
        .environment = read_environment(),
        .out = [](std::string_view text) { write_all(STDOUT_FILENO, text); },
        .err = [](std::string_view text) { write_all(STDERR_FILENO, text); },
        .is_terminal = is_capable_terminal(STDOUT_FILENO),
        .has_colours = has_colours(STDOUT_FILENO),
        .is_utf8 = is_utf8_locale(),
        .terminal_size = [] { return size_of_terminal(STDOUT_FILENO); },
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
