// Task groups: all that was spawned is awaited, stopping unwinds, and a group never holds more than its
// limit.
#include "runtime/task_group.h"

#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "runtime/event.h"
#include "runtime/linux_os.h"

namespace runtime {
namespace {

using namespace std::chrono_literals;
using core::Instant;

struct Machine {
    LinuxOs os;
    std::unique_ptr<Reactor> reactor = *Reactor::open(os);
};

struct Trace {
    int begun = 0;
    int ended = 0;
    std::vector<Outcome> outcomes;
};

Task<void> sleep_once(Reactor& reactor, core::Duration duration, Trace& trace) {
    ++trace.begun;
    trace.outcomes.push_back(co_await reactor.sleep_for(duration));
    ++trace.ended;
}

Task<void> yield_some(Reactor& reactor, int times, Trace& trace) {
    ++trace.begun;
    for (int time = 0; time < times; ++time) {
        co_await reactor.yield();
    }
    ++trace.ended;
}

Task<void> join_children(Reactor& reactor, Trace& trace) {
    TaskGroup group(reactor, 10);
    co_await group.join();  // of none
    for (int times = 0; times < 10; ++times) {
        group.spawn(yield_some(reactor, times, trace));
    }
    CHECK(trace.begun == 10);
    CHECK(trace.ended == 1);  // the one that never suspends
    CHECK(group.count() == 9);
    co_await group.join();
    CHECK(trace.ended == 10);
    CHECK(group.count() == 0);
}

TEST_CASE("join returns when every child has ended") {
    Machine machine;
    Trace trace;
    machine.reactor->run(join_children(*machine.reactor, trace));
    CHECK(trace.ended == 10);
}

Task<void> compare_fibers(Reactor& reactor, const Fiber& other, bool& is_other) {
    is_other = &co_await CurrentFiber{} != &other;
    co_await reactor.yield();
}

Task<void> spawn_one(Reactor& reactor, bool& is_other) {
    TaskGroup group(reactor, 1);
    group.spawn(compare_fibers(reactor, co_await CurrentFiber{}, is_other));
    co_await group.join();
}

TEST_CASE("a spawned task is a fiber of its own") {
    Machine machine;
    bool is_other = false;
    machine.reactor->run(spawn_one(*machine.reactor, is_other));
    CHECK(is_other);
}

Task<void> nested_sleep(Reactor& reactor, int depth, Trace& trace) {
    if (depth > 0) {
        co_await nested_sleep(reactor, depth - 1, trace);
    } else {
        co_await sleep_once(reactor, 1h, trace);
    }
}

Task<void> stop_children(Reactor& reactor, Trace& trace) {
    TaskGroup group(reactor, 5);
    for (int depth = 0; depth < 5; ++depth) {
        group.spawn(nested_sleep(reactor, depth, trace));
    }
    group.request_stop();
    CHECK(trace.ended == 0);  // nothing is resumed by the request itself
    CHECK(group.count() == 5);
    co_await group.join();
}

TEST_CASE("a stop ends every wait as cancelled and unwinds the whole chain") {
    Machine machine;
    Trace trace;
    machine.reactor->run(stop_children(*machine.reactor, trace));
    CHECK(trace.ended == 5);
    CHECK(trace.outcomes == std::vector<Outcome>(5, Outcome::cancelled));
}

// Says goodbye: what needs no waiting still works, and what would have to wait is cancelled at once.
Task<void> stay_after_stop(Reactor& reactor, Event& event, Trace& trace) {
    trace.outcomes.push_back(co_await reactor.sleep_for(1h));
    trace.outcomes.push_back(co_await reactor.sleep_for(1h));
    trace.outcomes.push_back(co_await reactor.yield());
    trace.outcomes.push_back(co_await event.wait());
    event.set();
    trace.outcomes.push_back(co_await event.wait());
    TaskGroup group(reactor, 1);
    group.spawn(sleep_once(reactor, 1h, trace));
    co_await group.join();  // the child hears of the stop, and is awaited all the same
    CHECK(group.count() == 0);
    ++trace.ended;
}

Task<void> stop_one(Reactor& reactor, Trace& trace) {
    Event event(reactor);
    TaskGroup group(reactor, 1);
    group.spawn(stay_after_stop(reactor, event, trace));
    group.request_stop();
    co_await group.join();
}

TEST_CASE("a stopped fiber waits no more but may still do what needs no waiting") {
    Machine machine;
    Trace trace;
    machine.reactor->run(stop_one(*machine.reactor, trace));
    std::vector<Outcome> expected(4, Outcome::cancelled);
    expected.push_back(Outcome::ready);
    expected.push_back(Outcome::cancelled);
    CHECK(trace.outcomes == expected);
    CHECK(trace.ended == 2);
}

// Ends only some turns after it was asked to.
Task<void> end_slowly(Reactor& reactor, Event& last_word, Trace& trace) {
    ++trace.begun;
    trace.outcomes.push_back(co_await reactor.sleep_for(1h));
    last_word.set();
    ++trace.ended;
}

Task<void> join_with_deadline(Reactor& reactor, Instant deadline, Trace& trace) {
    Event last_word(reactor);
    TaskGroup group(reactor, 3);
    for (int number = 0; number < 3; ++number) {
        group.spawn(end_slowly(reactor, last_word, trace));
    }
    co_await group.join(deadline);
    CHECK(group.count() == 0);
    CHECK(reactor.now() >= deadline);
}

TEST_CASE("join stops the children at its deadline and still awaits them") {
    Machine machine;
    for (core::Duration wait : {core::Duration(-1ms), core::Duration(0ms), core::Duration(3ms)}) {
        Trace trace;
        Instant deadline{machine.os.now().since_start + wait};
        machine.reactor->run(join_with_deadline(*machine.reactor, deadline, trace));
        CHECK(trace.ended == 3);
        CHECK(trace.outcomes == std::vector<Outcome>(3, Outcome::cancelled));
    }
}

TEST_CASE("children that end before the deadline are not stopped") {
    Machine machine;
    Trace trace;
    struct Joining {
        static Task<void> run(Reactor& reactor, Trace& seen) {
            TaskGroup group(reactor, 2);
            group.spawn(sleep_once(reactor, 2ms, seen));
            group.spawn(sleep_once(reactor, 1ms, seen));
            co_await group.join(reactor.now() + 1h);
        }
    };
    machine.reactor->run(Joining::run(*machine.reactor, trace));
    CHECK(trace.outcomes == std::vector<Outcome>(2, Outcome::ready));
}

Task<void> own_children(Reactor& reactor, Trace& trace) {
    TaskGroup group(reactor, 4);
    for (int number = 0; number < 4; ++number) {
        group.spawn(sleep_once(reactor, 1h, trace));
    }
    co_await group.join();
    CHECK(trace.ended == 4);
    ++trace.begun;
}

Task<void> stop_owner(Reactor& reactor, Trace& trace) {
    TaskGroup group(reactor, 1);
    group.spawn(own_children(reactor, trace));
    co_await reactor.yield();
    group.request_stop();
    co_await group.join();
}

TEST_CASE("a stop of an owner that joins goes on to its children") {
    Machine machine;
    Trace trace;
    machine.reactor->run(stop_owner(*machine.reactor, trace));
    CHECK(trace.begun == 5);
    CHECK(trace.outcomes == std::vector<Outcome>(4, Outcome::cancelled));
}

TEST_CASE("a stop of the root task reaches it") {
    Machine machine;
    Trace trace;
    machine.reactor->start(own_children(*machine.reactor, trace));
    CHECK_FALSE(machine.reactor->is_done());
    machine.reactor->request_stop();
    for (int turn = 0; turn < 10 && !machine.reactor->is_done(); ++turn) {
        machine.reactor->turn(0s);
    }
    CHECK(machine.reactor->is_done());
    CHECK(trace.outcomes == std::vector<Outcome>(4, Outcome::cancelled));
}

Task<void> fill_up(Reactor& reactor, Trace& trace, size_t& most) {
    TaskGroup group(reactor, 3);
    for (int number = 0; number < 50; ++number) {
        CHECK(co_await group.room() == Outcome::ready);
        CHECK(group.has_room());
        group.spawn(yield_some(reactor, number % 4, trace));
        most = std::max(most, group.count());
    }
    co_await group.join();
}

TEST_CASE("room waits while the group is full") {
    Machine machine;
    Trace trace;
    size_t most = 0;
    machine.reactor->run(fill_up(*machine.reactor, trace, most));
    CHECK(trace.ended == 50);
    CHECK(most == 3);
}

Task<void> await_room(Reactor& reactor, TaskGroup& full, std::vector<Outcome>& outcomes) {
    outcomes.push_back(co_await full.room());
    co_await reactor.yield();
    outcomes.push_back(co_await full.room());
}

Task<void> stop_at_room(Reactor& reactor, std::vector<Outcome>& outcomes) {
    Trace trace;
    TaskGroup full(reactor, 1);
    full.spawn(sleep_once(reactor, 1h, trace));
    TaskGroup group(reactor, 1);
    group.spawn(await_room(reactor, full, outcomes));
    group.request_stop();
    co_await group.join();
    full.request_stop();
    co_await full.join();
}

TEST_CASE("room ends as cancelled when its fiber is stopped") {
    Machine machine;
    std::vector<Outcome> outcomes;
    machine.reactor->run(stop_at_room(*machine.reactor, outcomes));
    CHECK(outcomes == std::vector<Outcome>(2, Outcome::cancelled));
}

Task<void> sleep_twice(Reactor& reactor, Fiber*& fiber, Trace& trace) {
    fiber = &co_await CurrentFiber{};
    trace.outcomes.push_back(co_await reactor.sleep_for(1h));
    trace.outcomes.push_back(co_await reactor.sleep_for(1ms));
    fiber = nullptr;
}

Task<void> interrupt_once(Reactor& reactor, Trace& trace) {
    Fiber* fiber = nullptr;
    TaskGroup group(reactor, 1);
    group.spawn(sleep_twice(reactor, fiber, trace));
    fiber->interrupt();
    CHECK(trace.outcomes.empty());
    fiber->interrupt();  // its wait has ended: nothing to interrupt
    co_await group.join();
}

TEST_CASE("an interrupt ends one wait only") {
    Machine machine;
    Trace trace;
    machine.reactor->run(interrupt_once(*machine.reactor, trace));
    CHECK(trace.outcomes == std::vector<Outcome>{Outcome::cancelled, Outcome::ready});
}

}  // namespace
}  // namespace runtime
