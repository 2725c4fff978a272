// Notices that a peer hangs up while its fiber waits for something else.
#pragma once

#include "net/socket.h"
#include "runtime/reactor.h"

namespace net {

// While it lives, the peer's hanging up interrupts the fiber's wait for something else. What the peer had
// ended before does not count: a client may close its direction behind its request and still want the answer.
// One a socket at a time.
class HangupGuard {
public:
    HangupGuard(Socket& socket, runtime::Fiber& fiber) : watch_{.fiber = fiber} {
        Peek state = socket.is_watched() && !socket.has_hung_up() ? Peek::quiet : socket.peek();
        auto slot = socket.watched_slot();
        watch_.has_fired = state == Peek::broken;
        if (slot && state != Peek::ended && state != Peek::broken) {
            slot_ = *slot;
            slot_->on_hangup = &watch_;
        }
    }

    ~HangupGuard() {
        if (slot_ != nullptr) {
            slot_->on_hangup = nullptr;
        }
    }

    HangupGuard(const HangupGuard&) = delete;
    HangupGuard& operator=(const HangupGuard&) = delete;

    // True when the peer has hung up while this lived, or when its connection was broken (reset) before: look
    // before you wait.
    [[nodiscard]] bool has_fired() const { return watch_.has_fired; }

private:
    runtime::HangupWatch watch_;
    runtime::IoSlot* slot_ = nullptr;
};

}  // namespace net
