// The event loop of one core: waits for readiness, timers and messages, and resumes the tasks that waited for
// them. Everything but post() belongs to the thread that runs it. In simulation several reactors are turned
// by one thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "core/result.h"
#include "core/units.h"
#include "runtime/mailbox.h"
#include "runtime/os.h"
#include "runtime/task.h"
#include "runtime/timer_wheel.h"
#include "runtime/waiter.h"

namespace runtime {

class IoWaiter;

// A fiber that waits for something else is to learn when a peer hangs up.
struct HangupWatch {
    Fiber& fiber;
    bool has_fired = false;
};

// What the reactor knows of one watched descriptor. Readiness bits are set by events and cleared by whoever
// sees EAGAIN.
struct IoSlot {
    int fd = -1;
    uint32_t index = 0;  // among all slots
    uint32_t generation = 0;
    uint32_t readiness = 0;
    uint32_t next_free = 0;
    bool is_write_watched = false;
    IoWaiter* reader = nullptr;
    IoWaiter* writer = nullptr;
    HangupWatch* on_hangup = nullptr;  // interrupted when the peer ends or breaks the connection
};

class Reactor {
public:
    // Opens the readiness set and the wake descriptor; fails when descriptors are exhausted.
    [[nodiscard]] static core::Result<std::unique_ptr<Reactor>> open(Os& os);
    ~Reactor();
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    // The time of this turn: constant while tasks run, so that one turn is one moment.
    [[nodiscard]] core::Instant now() const { return now_; }

    [[nodiscard]] Os& os() const { return os_; }

    [[nodiscard]] TimerWheel& timers() { return timers_; }

    // Runs `root` on this thread until it ends.
    void run(Task<void> root);

    // For drivers that turn several reactors (simulation): starts `root`; is_done() tells its end; turn()
    // makes one round without waiting longer than `wait_max` and returns whether anything ran.
    void start(Task<void> root);
    [[nodiscard]] bool is_done() const { return root_ == nullptr; }
    bool turn(core::Duration wait_max);
    // Nothing happens by itself before this instant, but for descriptors and messages.
    [[nodiscard]] core::Instant next_timer() const { return timers_.next_due(); }
    // Asks the root task to stop.
    void request_stop();

    // Runs `call` on this reactor in its next turn. From any thread. What is posted after the last turn is
    // dropped.
    template <class Call>
    void post(Call call) {
        post_message(std::make_unique<CallMessage<Call>>(std::move(call)));
    }

    // Suspends until the instant; Outcome::cancelled when the fiber is stopped, else ready.
    [[nodiscard]] auto sleep_until(core::Instant when);
    [[nodiscard]] auto sleep_for(core::Duration duration);
    // For housekeeping: so far from now, or up to 50 ms more, at an instant that all who ask this way share,
    // so that a core with nothing else to do wakes once for all of them.
    [[nodiscard]] core::Instant housekeeping_in(core::Duration duration) const;
    // Lets all others that are ready run first.
    [[nodiscard]] auto yield();

    // Resumes `waiter`'s task in this turn, after what runs now. The waiter's wait has ended.
    void schedule(Waiter& waiter);

    // Watches a descriptor for reading and hang-up: returns its slot's index, or -errno. The slot is valid
    // until unwatch().
    [[nodiscard]] int64_t watch(int fd);
    // For writing, too, from now on: for who has found no room, or waits for a connection.
    void watch_writing(IoSlot& slot);
    [[nodiscard]] IoSlot& slot(uint32_t index) {
        return (*chunks_[index / kChunkSlots])[index % kChunkSlots];
    }
    // Call before closing the descriptor. No task may be waiting on it.
    void unwatch(uint32_t index);

private:
    static constexpr uint32_t kChunkSlots = 256;
    static constexpr uint32_t kNoSlot = UINT32_MAX;
    static constexpr uint64_t kWakeTag = UINT64_MAX;
    static constexpr uint64_t kTimerTag = UINT64_MAX - 1;

    struct RootTask;

    Reactor(Os& os, int poll, int wake, int timer);

    void post_message(std::unique_ptr<Message> message);
    [[nodiscard]] static uint64_t tag_of(const IoSlot& slot) {
        return (static_cast<uint64_t>(slot.generation) << 32) | slot.index;
    }
    [[nodiscard]] core::Duration arm_for_next_timer(core::Duration wait_max);
    bool deliver_messages();
    void dispatch(const PollEvent& event);
    bool resume_ready();
    static RootTask run_root(Reactor& reactor, Task<void> task);

    Os& os_;
    int poll_;
    int wake_;
    int timer_;
    core::Instant armed_ = core::Instant::never();  // what timer_ rings for next
    core::Instant now_;
    TimerWheel timers_;
    Mailbox mailbox_;
    Waiter* ready_first_ = nullptr;
    Waiter* ready_last_ = nullptr;
    std::vector<std::unique_ptr<std::array<IoSlot, kChunkSlots>>> chunks_;  // slots never move
    uint32_t free_slot_ = kNoSlot;
    Fiber root_fiber_;
    std::coroutine_handle<> root_ = nullptr;
};

// Ends at its deadline: a wait for time alone.
class SleepWaiter final : public Waiter {
public:
    SleepWaiter(Reactor& reactor, core::Instant when) : Waiter(reactor), when_(when) {}

    static bool await_ready() noexcept { return false; }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> handle) {
        return begin(handle, when_);
    }

    Outcome await_resume() const { return outcome() == Outcome::timed_out ? Outcome::ready : outcome(); }

private:
    void detach() override {}

    core::Instant when_;
};

// Ends at once, behind all that is ready.
class YieldWaiter final : public Waiter {
public:
    explicit YieldWaiter(Reactor& reactor) : Waiter(reactor) {}

    static bool await_ready() noexcept { return false; }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> handle) {
        if (!begin(handle, core::Instant::never())) {
            return false;
        }
        finish_later(Outcome::ready);
        return true;
    }

    Outcome await_resume() const { return outcome(); }

private:
    void detach() override {}
};

inline auto Reactor::sleep_until(core::Instant when) { return SleepWaiter(*this, when); }

inline auto Reactor::sleep_for(core::Duration duration) { return SleepWaiter(*this, now_ + duration); }

inline auto Reactor::yield() { return YieldWaiter(*this); }

}  // namespace runtime
