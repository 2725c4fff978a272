// Waiting for a descriptor: an attempt is made at once and again at each readiness event, until it gives
// something other than EAGAIN. The attempt runs where the event is seen, so a buffer that it fills is
// borrowed only while it is filled.
#pragma once

#include <algorithm>
#include <cerrno>

#include "runtime/reactor.h"

namespace runtime {

enum class Direction : uint8_t { read, write };

class IoWaiter : public Waiter {
public:
    // The descriptor became ready. Makes another attempt; true when the wait is over.
    [[nodiscard]] virtual bool try_again() = 0;

protected:
    using Waiter::Waiter;
    ~IoWaiter() = default;
};

// `Attempt` is called with no argument and returns ssize_t: a result >= 0 or -errno; it clears the slot's
// readiness bit when it sees EAGAIN. `slot` must exist: an attempt on an unwatched descriptor is the caller's
// first step.
template <class Attempt>
class IoAttempt final : public IoWaiter {
public:
    IoAttempt(Reactor& reactor, Attempt attempt, core::Instant deadline)
        : IoWaiter(reactor), attempt_(std::move(attempt)), deadline_(deadline) {}

    bool await_ready() {
        result_ = attempt_();
        return result_ != -EAGAIN;
    }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> handle) {
        auto slot = attempt_.slot();
        if (!slot) {
            result_ = -slot.error();
            return false;
        }
        if (!begin(handle, deadline_)) {
            return false;
        }
        slot_ = *slot;
        if constexpr (requires { attempt_.has_progressed(); }) {
            patience_ = deadline_ - reactor().now();
            [[maybe_unused]] bool at_start = attempt_.has_progressed();
        }
        IoWaiter*& place = waiting_place();
        ASSERT(place == nullptr);  // one reader and one writer a descriptor
        place = this;
        if constexpr (Attempt::kDirection == Direction::write) {
            reactor().watch_writing(*slot_);
        }
        return true;
    }

    // The attempt's result, -ETIMEDOUT or -ECANCELED.
    ssize_t await_resume() {
        switch (outcome()) {
            case Outcome::timed_out: return -ETIMEDOUT;
            case Outcome::cancelled: return -ECANCELED;
            default: return result_;
        }
    }

private:
    IoWaiter*& waiting_place() {
        return Attempt::kDirection == Direction::read ? slot_->reader : slot_->writer;
    }

    bool try_again() override {
        result_ = attempt_();
        return result_ != -EAGAIN;
    }

    void detach() override { waiting_place() = nullptr; }

    // A send whose peer takes bytes, only slowly, gets its time again, up to the attempt's `limit`: a socket
    // is reported writable when a third of its buffer is free, which may take a slow reader longer than any
    // sensible deadline.
    void fire() override {
        if constexpr (requires { attempt_.has_progressed(); }) {
            if (reactor().now() < attempt_.limit && attempt_.has_progressed()) {
                reactor().timers().add(*this, std::min(reactor().now() + patience_, attempt_.limit));
                return;
            }
        }
        IoWaiter::fire();
    }

    Attempt attempt_;
    core::Instant deadline_;
    core::Duration patience_{};  // of a send: how long without progress
    IoSlot* slot_ = nullptr;
    ssize_t result_ = 0;
};

}  // namespace runtime
