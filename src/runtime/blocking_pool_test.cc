// Calls that block: they run beside the reactor, are bounded, and are awaited to their end.
#include "runtime/blocking_pool.h"

#include <array>
#include <latch>
#include <thread>

#include <doctest/doctest.h>

#include "runtime/event.h"
#include "runtime/linux_os.h"
#include "runtime/task_group.h"

namespace runtime {
namespace {

struct Machine {
    LinuxOs os;
    std::unique_ptr<Reactor> reactor = *Reactor::open(os);
};

template <class Call>
Task<void> run_on(Machine& machine, BlockingPool& pool, Call call, typename BlockingWait<Call>::End& end) {
    end = co_await BlockingWait(*machine.reactor, pool, std::move(call));
}

TEST_CASE("a call runs on another thread, and its task goes on where it was") {
    Machine machine;
    BlockingPool pool({.threads = 1, .queue_max = 0});
    std::thread::id here;
    auto call = [&here] { here = std::this_thread::get_id(); };
    auto end = BlockingWait<decltype(call)>::End::pool_is_full;
    machine.reactor->run(run_on(machine, pool, call, end));
    CHECK(end == decltype(end)::ran);
    CHECK(here != std::thread::id());
    CHECK(here != std::this_thread::get_id());
}

struct Gate {
    std::latch begun{1};
    std::latch open{1};
    std::array<int, 3> ran{};
};

template <class Call>
Task<void> fill_pool(Machine& machine, BlockingPool& pool, Gate& gate, Call first) {
    using End = typename BlockingWait<Call>::End;
    std::array<End, 2> ends{};
    auto count = [&gate] { ++gate.ran[1]; };
    auto end = BlockingWait<decltype(count)>::End::ran;
    TaskGroup group(*machine.reactor, 8);
    group.spawn(run_on(machine, pool, first, ends[0]));
    gate.begun.wait();
    auto queued = BlockingWait<decltype(count)>::End::pool_is_full;
    group.spawn(run_on(machine, pool, count, queued));
    group.spawn(run_on(machine, pool, count, end));
    CHECK(end == decltype(end)::pool_is_full);  // at once
    group.request_stop();
    co_await machine.reactor->yield();
    CHECK(group.count() == 2);  // stopping ends no call that has begun
    gate.open.count_down();
    co_await group.join();
    CHECK(ends[0] == End::ran);
    CHECK(queued == decltype(queued)::withdrawn);
}

TEST_CASE("a full pool refuses, a stopped task awaits its running call and withdraws a waiting one") {
    Machine machine;
    BlockingPool pool({.threads = 1, .queue_max = 1});
    Gate gate;
    machine.reactor->run(fill_pool(machine, pool, gate, [&gate] {
        gate.begun.count_down();
        gate.open.wait();
        ++gate.ran[0];
    }));
    CHECK(gate.ran[0] == 1);
    CHECK(gate.ran[1] == 0);
}

}  // namespace
}  // namespace runtime
