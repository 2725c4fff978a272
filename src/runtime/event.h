// A wake-up between tasks of one reactor: set() ends the wait of the one task that waits, or its next wait.
#pragma once

#include "runtime/reactor.h"
#include "runtime/waiter.h"

namespace runtime {

class Event {
public:
    class Wait;

    explicit Event(Reactor& reactor) : reactor_(reactor) {}

    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    void set();

    // ready when set (which is taken back thereby), timed_out or cancelled. One task waits at a time
    // (asserted).
    [[nodiscard]] Wait wait(core::Instant deadline = core::Instant::never());

private:
    Reactor& reactor_;
    Wait* waiting_ = nullptr;
    bool is_set_ = false;
};

class Event::Wait final : public Waiter {
public:
    Wait(Event& event, core::Instant deadline) : Waiter(event.reactor_), event_(event), deadline_(deadline) {}

    bool await_ready() noexcept {
        was_set_ = std::exchange(event_.is_set_, false);
        return was_set_;
    }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> handle) {
        if (!begin(handle, deadline_)) {
            return false;
        }
        ASSERT(event_.waiting_ == nullptr);
        event_.waiting_ = this;
        return true;
    }

    Outcome await_resume() const noexcept { return was_set_ ? Outcome::ready : outcome(); }

private:
    void detach() override { event_.waiting_ = nullptr; }

    Event& event_;
    core::Instant deadline_;
    bool was_set_ = false;
};

inline void Event::set() {
    if (waiting_ != nullptr) {
        waiting_->finish_later(Outcome::ready);
    } else {
        is_set_ = true;
    }
}

inline Event::Wait Event::wait(core::Instant deadline) { return Wait(*this, deadline); }

}  // namespace runtime
