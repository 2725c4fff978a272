#include "runtime/task_group.h"

#include "core/panic.h"
#include "runtime/reactor.h"

namespace runtime {

// The coroutine that awaits one spawned task; it leaves its group and frees itself at its end.
struct TaskGroup::Child {
    struct promise_type : PromiseBase {
        promise_type(TaskGroup& owner, Task<void>&) : group(owner) {
            fiber = &own_fiber;
            next = static_cast<promise_type*>(owner.first_);
            if (next != nullptr) {
                next->previous = this;
            }
            owner.first_ = this;
            ++owner.count_;
        }

        Child get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }

        std::suspend_never final_suspend() noexcept {
            leave();
            return {};
        }

        void return_void() {}

        void leave() noexcept {
            if (next != nullptr) {
                next->previous = previous;
            }
            if (previous != nullptr) {
                previous->next = next;
            } else {
                group.first_ = next;
            }
            --group.count_;
            if (group.awaiting_room_ != nullptr) {
                group.awaiting_room_->finish_later(Outcome::ready);
            }
            if (group.count_ == 0 && group.joining_ != nullptr) {
                group.joining_->finish_later(Outcome::ready);
            }
        }

        TaskGroup& group;
        Fiber own_fiber;
        promise_type* next = nullptr;
        promise_type* previous = nullptr;
    };

    std::coroutine_handle<promise_type> handle;
};

TaskGroup::Child TaskGroup::run_child(TaskGroup&, Task<void> task) { co_await std::move(task); }

TaskGroup::~TaskGroup() { ASSERT(count_ == 0); }

void TaskGroup::spawn(Task<void> task) {
    ASSERT(has_room());
    run_child(*this, std::move(task)).handle.resume();
}

void TaskGroup::request_stop() {
    // Stopping a fiber resumes nothing now, so the list holds still.
    for (auto* child = static_cast<Child::promise_type*>(first_); child != nullptr; child = child->next) {
        child->own_fiber.request_stop();
    }
}

}  // namespace runtime
