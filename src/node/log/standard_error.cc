#include "node/log/standard_error.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace node {

namespace {

// A pipe that poll(2) calls writable takes so many bytes without blocking (pipe(7)).
constexpr size_t kTakenAtOnce = PIPE_BUF;

bool try_write(std::string_view text) {
    while (!text.empty()) {
        pollfd looked{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
        if (::poll(&looked, 1, 0) != 1 || (looked.revents & POLLOUT) == 0) {
            return false;
        }
        ssize_t written = ::write(STDERR_FILENO, text.data(), std::min(text.size(), kTakenAtOnce));
        if (written <= 0) {
            return false;
        }
        text.remove_prefix(static_cast<size_t>(written));
    }
    return true;
}

}  // namespace

void StandardError::write(std::string_view line) {
    uint64_t dropped = dropped_.exchange(0);
    bool is_told = dropped == 0 || try_write(
                                       "trilith: " + std::to_string(dropped) +
                                       " lines of this log were dropped, nobody read it\n"
                                   );
    if (!is_told || !try_write(line)) {
        dropped_ += is_told ? 1 : dropped + 1;
        ++lost_;
    }
}

}  // namespace node
