// The owner of concurrent tasks: each spawned task is a fiber of its own, and none outlives its group.
#pragma once

#include <coroutine>
#include <cstddef>

#include "runtime/reactor.h"
#include "runtime/task.h"
#include "runtime/waiter.h"

namespace runtime {

class TaskGroup {
public:
    // At most `limit` tasks at a time.
    TaskGroup(Reactor& reactor, size_t limit) : reactor_(reactor), limit_(limit) {}

    // All tasks have ended and been joined (asserted).
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    // Starts `task` at once, on a fiber of its own, up to its first wait. There must be room (asserted). The
    // task and all that it refers to but its own arguments must live until the group is joined.
    void spawn(Task<void> task);

    [[nodiscard]] bool has_room() const { return count_ < limit_; }

    [[nodiscard]] size_t count() const { return count_; }

    // Asks all tasks to stop; they end in later turns.
    void request_stop();

    // Awaits the end of all tasks. When `deadline` passes or the awaiting fiber is stopped, they are asked to
    // stop, and their ends are still awaited.
    [[nodiscard]] auto join(core::Instant deadline = core::Instant::never());
    // Awaits until there is room for another task. Outcome::cancelled when the awaiting fiber is stopped.
    [[nodiscard]] auto room();

private:
    friend class JoinWaiter;
    friend class RoomWaiter;
    struct Child;

    static Child run_child(TaskGroup& group, Task<void> task);

    Reactor& reactor_;
    size_t limit_;
    size_t count_ = 0;
    void* first_ = nullptr;  // the children's promises, a doubly linked list
    class JoinWaiter* joining_ = nullptr;
    class RoomWaiter* awaiting_room_ = nullptr;
};

class JoinWaiter final : public Waiter {
public:
    JoinWaiter(Reactor& reactor, TaskGroup& group, core::Instant deadline)
        : Waiter(reactor), group_(group), deadline_(deadline) {}

    [[nodiscard]] bool await_ready() const noexcept { return group_.count_ == 0; }

    template <class P>
    void await_suspend(std::coroutine_handle<P> handle) {
        if (handle.promise().fiber->is_stopped || deadline_ <= reactor().now()) {
            group_.request_stop();
            deadline_ = core::Instant::never();
        }
        begin_always(handle, deadline_);
        group_.joining_ = this;
    }

    static void await_resume() noexcept {}

    void on_stop() override { group_.request_stop(); }

private:
    void fire() override { group_.request_stop(); }

    void detach() override { group_.joining_ = nullptr; }

    TaskGroup& group_;
    core::Instant deadline_;
};

class RoomWaiter final : public Waiter {
public:
    RoomWaiter(Reactor& reactor, TaskGroup& group) : Waiter(reactor), group_(group) {}

    [[nodiscard]] bool await_ready() const noexcept { return group_.has_room(); }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> handle) {
        if (!begin(handle, core::Instant::never())) {
            return false;
        }
        group_.awaiting_room_ = this;
        return true;
    }

    [[nodiscard]] Outcome await_resume() const noexcept {
        return outcome() == Outcome::pending ? Outcome::ready : outcome();
    }

private:
    void detach() override { group_.awaiting_room_ = nullptr; }

    TaskGroup& group_;
};

inline auto TaskGroup::join(core::Instant deadline) { return JoinWaiter(reactor_, *this, deadline); }

inline auto TaskGroup::room() { return RoomWaiter(reactor_, *this); }

}  // namespace runtime
