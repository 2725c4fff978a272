#include "node/terminal/keys.h"

#include <poll.h>
#include <unistd.h>

namespace node {

namespace {

// Who is in the background and touches the terminal is stopped by a signal.
bool is_ours() { return ::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp(); }

}  // namespace

void TerminalKeys::begin() {
    termios settings{};
    if (is_open() || !is_ours() || ::tcgetattr(STDIN_FILENO, &settings) < 0) {
        return;
    }
    before_ = settings;
    settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    if (::tcsetattr(STDIN_FILENO, TCSANOW, &settings) < 0) {
        before_.reset();
    }
}

void TerminalKeys::end() {
    if (is_open() && is_ours()) {
        [[maybe_unused]] int status = ::tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
    }
    before_.reset();
}

std::optional<char> TerminalKeys::next() {
    pollfd looked{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    char key = 0;
    bool is_there = is_open() && is_ours() && ::poll(&looked, 1, 0) == 1 && (looked.revents & POLLIN) != 0;
    return is_there && ::read(STDIN_FILENO, &key, 1) == 1 ? std::optional(key) : std::nullopt;
}

}  // namespace node
