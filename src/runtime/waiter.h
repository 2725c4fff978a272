// A suspended task: what it waits for ends it as ready, its deadline as timed out, the stop of its fiber as
// cancelled, whichever comes first. Base of all awaiters that leave the processor; lives in the frame of the
// waiting task.
#pragma once

#include <coroutine>
#include <cstdint>

#include "runtime/fiber.h"
#include "runtime/task.h"
#include "runtime/timer_wheel.h"

namespace runtime {

class Reactor;

enum class Outcome : uint8_t { pending, ready, timed_out, cancelled };

class Waiter : protected Timer {
public:
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    // The fiber was asked to stop. Unless overridden, ends the wait as cancelled.
    virtual void on_stop();

    // Ends the wait and resumes the task before returning. Only from the reactor's own turn, never from
    // another task.
    void finish_now(Outcome outcome);
    // Ends the wait; the task resumes in the reactor's present turn, after the caller has returned to it.
    void finish_later(Outcome outcome);

protected:
    explicit Waiter(Reactor& reactor) : reactor_(&reactor) {}

    ~Waiter() = default;

    // Call from await_suspend. False: do not suspend, the outcome is there already (the fiber is stopped, or
    // the deadline has passed). After true, register with what is waited for.
    template <class P>
    [[nodiscard]] bool begin(std::coroutine_handle<P> handle, core::Instant deadline) {
        return begin_wait(handle, *handle.promise().fiber, deadline);
    }

    // The same for a wait that must happen whatever the fiber is told: its owner reacts to on_stop() and
    // fire() itself.
    template <class P>
    void begin_always(std::coroutine_handle<P> handle, core::Instant deadline) {
        register_wait(handle, *handle.promise().fiber, deadline);
    }

    // Takes this waiter out of where it registered. Called once, at the end of each wait.
    virtual void detach() = 0;

    // The deadline has passed. Unless overridden, ends the wait as timed out.
    void fire() override;

    [[nodiscard]] Outcome outcome() const { return outcome_; }

    [[nodiscard]] Reactor& reactor() const { return *reactor_; }

private:
    friend class Reactor;

    [[nodiscard]] bool begin_wait(std::coroutine_handle<> handle, Fiber& fiber, core::Instant deadline);
    void register_wait(std::coroutine_handle<> handle, Fiber& fiber, core::Instant deadline);
    void end_wait(Outcome outcome);

    Reactor* reactor_;
    std::coroutine_handle<> handle_;
    Fiber* fiber_ = nullptr;
    Waiter* next_ready_ = nullptr;
    Outcome outcome_ = Outcome::pending;
};

}  // namespace runtime
