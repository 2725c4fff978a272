// Events: a set is never lost, wakes one wait, and comes before a deadline or a stop that happens later.
#include "runtime/event.h"

#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "runtime/linux_os.h"
#include "runtime/task_group.h"

namespace runtime {
namespace {

using namespace std::chrono_literals;

struct Machine {
    LinuxOs os;
    std::unique_ptr<Reactor> reactor = *Reactor::open(os);
};

Task<void> wait_times(Event& event, int times, core::Instant deadline, std::vector<Outcome>& outcomes) {
    for (int time = 0; time < times; ++time) {
        outcomes.push_back(co_await event.wait(deadline));
    }
}

Task<void> set_before(Reactor& reactor, std::vector<Outcome>& outcomes) {
    Event event(reactor);
    event.set();
    event.set();
    co_await wait_times(event, 2, reactor.now() + 2ms, outcomes);
}

TEST_CASE("a set before the wait ends it at once, and two sets are one") {
    Machine machine;
    std::vector<Outcome> outcomes;
    machine.reactor->run(set_before(*machine.reactor, outcomes));
    CHECK(outcomes == std::vector<Outcome>{Outcome::ready, Outcome::timed_out});
}

Task<void> set_while_waiting(Reactor& reactor, std::vector<Outcome>& outcomes) {
    Event event(reactor);
    TaskGroup group(reactor, 1);
    group.spawn(wait_times(event, 3, reactor.now() + 1h, outcomes));
    event.set();
    CHECK(outcomes.empty());  // the waiter resumes after us
    co_await reactor.yield();
    CHECK(outcomes.size() == 1);
    event.set();
    event.set();  // the first of the two ended the wait: this one is for the next
    co_await group.join();
}

TEST_CASE("a set ends the wait of the task that waits") {
    Machine machine;
    std::vector<Outcome> outcomes;
    machine.reactor->run(set_while_waiting(*machine.reactor, outcomes));
    CHECK(outcomes == std::vector<Outcome>(3, Outcome::ready));
}

Task<void> stop_waiting(Reactor& reactor, std::vector<Outcome>& outcomes) {
    Event event(reactor);
    TaskGroup group(reactor, 1);
    group.spawn(wait_times(event, 2, core::Instant::never(), outcomes));
    group.request_stop();
    event.set();  // comes after the stop: it is for the next wait, which needs no waiting
    co_await group.join();
}

TEST_CASE("a stop ends the wait as cancelled") {
    Machine machine;
    std::vector<Outcome> outcomes;
    machine.reactor->run(stop_waiting(*machine.reactor, outcomes));
    CHECK(outcomes == std::vector<Outcome>{Outcome::cancelled, Outcome::ready});
}

Task<void> time_out(Reactor& reactor, std::vector<Outcome>& outcomes) {
    Event event(reactor);
    core::Instant deadline = reactor.now() + 3ms;
    co_await wait_times(event, 1, deadline, outcomes);
    CHECK(reactor.now() >= deadline);
    co_await wait_times(event, 1, deadline, outcomes);  // has passed
    event.set();
    co_await wait_times(event, 1, deadline, outcomes);  // is set: the deadline does not matter
}

TEST_CASE("a deadline ends the wait as timed out, and not before it") {
    Machine machine;
    std::vector<Outcome> outcomes;
    machine.reactor->run(time_out(*machine.reactor, outcomes));
    CHECK(outcomes == std::vector<Outcome>{Outcome::timed_out, Outcome::timed_out, Outcome::ready});
}

}  // namespace
}  // namespace runtime
