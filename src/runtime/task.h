// Task<T>: a lazy coroutine that is awaited once. It starts when it is awaited, runs on its awaiter's thread
// and fiber, and hands its value over when it ends. Nothing runs unawaited: a fiber is started by
// TaskGroup::spawn or Reactor::run alone.
#pragma once

#include <coroutine>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/panic.h"
#include "runtime/fiber.h"
#include "runtime/frame_pool.h"

namespace runtime {

// What every promise of a task carries: who awaits it, and on which fiber it runs.
struct PromiseBase {
    std::coroutine_handle<> awaiting;
    Fiber* fiber = nullptr;

    static void* operator new(size_t size) { return allocate_frame(size); }

    static void operator delete(void* frame, size_t size) noexcept { free_frame(frame, size); }

    static std::suspend_always initial_suspend() noexcept { return {}; }

    struct FinalAwaiter {
        static bool await_ready() noexcept { return false; }

        template <class Promise>
        static std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) noexcept {
            return ended.promise().awaiting;
        }

        static void await_resume() noexcept {}
    };

    static FinalAwaiter final_suspend() noexcept { return {}; }

    // Errors are values; what throws (the allocator, a broken container) cannot be repaired here.
    [[noreturn]] static void unhandled_exception() noexcept { PANIC("an exception left a task"); }
};

// co_await CurrentFiber{} gives the fiber that the task runs on, for an owner who may stop it. Never
// suspends.
struct CurrentFiber {
    Fiber* fiber = nullptr;

    static bool await_ready() noexcept { return false; }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> handle) noexcept {
        fiber = handle.promise().fiber;
        return false;
    }

    [[nodiscard]] Fiber& await_resume() const noexcept { return *fiber; }
};

template <class T>
struct Promise : PromiseBase {
    std::optional<T> value;

    std::coroutine_handle<Promise> get_return_object() noexcept {
        return std::coroutine_handle<Promise>::from_promise(*this);
    }

    template <class U>
    void return_value(U&& result) {
        value.emplace(std::forward<U>(result));
    }

    T take() { return *std::move(value); }
};

template <>
struct Promise<void> : PromiseBase {
    std::coroutine_handle<Promise> get_return_object() noexcept {
        return std::coroutine_handle<Promise>::from_promise(*this);
    }

    static void return_void() noexcept {}

    static void take() {}
};

template <class T>
class [[nodiscard]] [[clang::coro_return_type]] [[clang::coro_lifetimebound]] Task {
public:
    using promise_type = Promise<T>;

    Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}

    Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}

    Task& operator=(Task&&) = delete;

    ~Task() {
        if (frame_) {
            // A started task that has not ended may be known to the reactor: its owner must await it.
            ASSERT(!is_started_ || frame_.done());
            frame_.destroy();
        }
    }

    struct Awaiter {
        std::coroutine_handle<promise_type> frame;

        static bool await_ready() noexcept { return false; }

        template <class Awaiting>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Awaiting> awaiting) noexcept {
            frame.promise().awaiting = awaiting;
            frame.promise().fiber = awaiting.promise().fiber;
            return frame;
        }

        T await_resume() { return frame.promise().take(); }
    };

    Awaiter operator co_await() && noexcept {
        ASSERT(!is_started_);
        is_started_ = true;
        return {frame_};
    }

private:
    std::coroutine_handle<promise_type> frame_;
    bool is_started_ = false;
};

}  // namespace runtime
