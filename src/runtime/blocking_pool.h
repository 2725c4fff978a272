// Threads for calls that block: a bounded number of them, and a bounded queue before them. A task awaits its
// call with BlockingWait.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "runtime/cores.h"
#include "runtime/reactor.h"
#include "runtime/waiter.h"

namespace runtime {

class BlockingPool {
public:
    struct Options {
        size_t threads = 4;
        size_t queue_max = 64;  // calls that wait while all threads are busy
    };

    // Runs once, on a thread of the pool, which does not touch it afterwards.
    class Job {
    public:
        virtual void run() = 0;

    protected:
        ~Job() = default;
    };

    explicit BlockingPool(Options options) : options_(options) {}

    // All calls have been awaited (asserted).
    ~BlockingPool();
    BlockingPool(const BlockingPool&) = delete;
    BlockingPool& operator=(const BlockingPool&) = delete;

    // From any thread; `job` must live until it has run. False: all threads are busy and the queue is full.
    // The threads are started by the first call.
    [[nodiscard]] bool try_submit(Job& job);

private:
    void work();

    Options options_;
    std::mutex mutex_;
    std::condition_variable has_work_;
    std::deque<Job*> waiting_;
    size_t running_ = 0;
    bool is_ending_ = false;
    std::optional<Cores> threads_;  // last: joined before the rest ends
};

// co_await BlockingWait(reactor, pool, call): runs `call` on the pool, and resumes when it has returned,
// whatever the fiber is told meanwhile: the call may use what the task holds. A fiber that is interrupted or
// stopped before its call has begun does not run it.
template <class Call>
class BlockingWait final : public Waiter, private BlockingPool::Job {
public:
    enum class End : uint8_t { ran, withdrawn, pool_is_full };

    BlockingWait(Reactor& reactor, BlockingPool& pool, Call call)
        : Waiter(reactor), pool_(pool), call_(std::move(call)) {}

    static bool await_ready() noexcept { return false; }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> handle) {
        if (handle.promise().fiber->is_stopped) {
            end_ = End::withdrawn;
            return false;
        }
        // Its end comes as a message, in a later turn: there is time to register.
        if (!pool_.try_submit(*this)) {
            return false;
        }
        begin_always(handle, core::Instant::never());
        end_ = End::withdrawn;
        return true;
    }

    [[nodiscard]] End await_resume() const noexcept { return has_run_ ? End::ran : end_; }

    void on_stop() override { is_withdrawn_.store(true, std::memory_order_relaxed); }

private:
    void run() override {
        if (!is_withdrawn_.load(std::memory_order_relaxed)) {
            call_();
            has_run_ = true;  // seen by the reactor through its mailbox
        }
        reactor().post([this] { finish_now(Outcome::ready); });
    }

    void detach() override {}

    BlockingPool& pool_;
    Call call_;
    std::atomic<bool> is_withdrawn_{false};
    bool has_run_ = false;
    End end_ = End::pool_is_full;
};

}  // namespace runtime
