// The bridge between the tasks of a program (trilith::Task, which exceptions leave) and ours (runtime::Task,
// which they do not): who awaits whom, on which fiber.
#pragma once

#include <trilith/app.h>

#include <coroutine>
#include <utility>

#include "runtime/task.h"
#include "sdk/public_access.h"

namespace trilith::sdk {

// One of ours awaits a program's coroutine to its end, whatever ends it. The value or the exception stays in
// the promise, see PublicAccess::frame().
template <class T>
class RunToEnd {
public:
    explicit RunToEnd(const Task<T>& task) : frame_(PublicAccess::frame(task)) {}

    static bool await_ready() noexcept { return false; }

    template <class Awaiting>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Awaiting> awaiting) noexcept {
        frame_.promise().awaiting = awaiting;
        frame_.promise().fiber = awaiting.promise().fiber;
        return frame_;
    }

    static void await_resume() noexcept {}

private:
    std::coroutine_handle<detail::Promise<T>> frame_;
};

// A coroutine of the public kind awaits one of ours.
template <class T>
class AwaitInside {
public:
    explicit AwaitInside(runtime::Task<T> task)
        : task_(std::move(task)), awaiter_(std::move(task_).operator co_await()) {}

    static bool await_ready() noexcept { return false; }

    template <class Awaiting>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Awaiting> awaiting) noexcept {
        awaiter_.frame.promise().awaiting = awaiting;
        awaiter_.frame.promise().fiber = static_cast<runtime::Fiber*>(awaiting.promise().fiber);
        return awaiter_.frame;
    }

    T await_resume() { return awaiter_.await_resume(); }

private:
    runtime::Task<T> task_;
    typename runtime::Task<T>::Awaiter awaiter_;
};

}  // namespace trilith::sdk
