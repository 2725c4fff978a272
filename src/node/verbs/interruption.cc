#include "node/verbs/interruption.h"

#include <ctime>

namespace node {

Interruption::Interruption() {
    sigemptyset(&watched_);
    sigaddset(&watched_, SIGINT);
    sigaddset(&watched_, SIGTERM);
    sigprocmask(SIG_BLOCK, &watched_, &before_);
}

void Interruption::restore() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

bool Interruption::pause(core::Duration duration) {
    if (has_come_) {
        return true;
    }
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
    timespec time{.tv_sec = seconds.count(), .tv_nsec = (duration - seconds).count()};
    has_come_ = sigtimedwait(&watched_, nullptr, &time) > 0;
    if (has_come_) {
        restore();
    }
    return has_come_;
}

}  // namespace node
