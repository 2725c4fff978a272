#include "runtime/waiter.h"

#include "core/panic.h"
#include "runtime/reactor.h"

namespace runtime {

void Fiber::request_stop() {
    if (is_stopped) {
        return;
    }
    is_stopped = true;
    interrupt();
}

void Fiber::interrupt() {
    if (waiter != nullptr) {
        waiter->on_stop();
    }
}

bool Waiter::begin_wait(std::coroutine_handle<> handle, Fiber& fiber, core::Instant deadline) {
    if (fiber.is_stopped) {
        outcome_ = Outcome::cancelled;
        return false;
    }
    if (deadline <= reactor_->now()) {
        outcome_ = Outcome::timed_out;
        return false;
    }
    register_wait(handle, fiber, deadline);
    return true;
}

void Waiter::register_wait(std::coroutine_handle<> handle, Fiber& fiber, core::Instant deadline) {
    ASSERT(fiber.waiter == nullptr);
    outcome_ = Outcome::pending;
    handle_ = handle;
    fiber_ = &fiber;
    fiber.waiter = this;
    if (!deadline.is_never()) {
        reactor_->timers().add(*this, deadline);
    }
}

void Waiter::end_wait(Outcome outcome) {
    ASSERT(outcome_ == Outcome::pending);
    ASSERT(fiber_->waiter == this);
    outcome_ = outcome;
    fiber_->waiter = nullptr;
    reactor_->timers().remove(*this);
    detach();
}

void Waiter::finish_now(Outcome outcome) {
    end_wait(outcome);
    handle_.resume();
}

void Waiter::finish_later(Outcome outcome) {
    end_wait(outcome);
    reactor_->schedule(*this);
}

void Waiter::on_stop() { finish_later(Outcome::cancelled); }

void Waiter::fire() { finish_now(Outcome::timed_out); }

}  // namespace runtime
