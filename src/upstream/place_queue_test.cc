// The queue of a pool: the order of arrival over all cores, nobody held up by another's wait, no place lost.
#include "upstream/place_queue.h"

#include <array>
#include <atomic>
#include <vector>

#include <doctest/doctest.h>

#include "runtime/cores.h"
#include "runtime/task_group.h"
#include "upstream/sample_pool.h"

namespace upstream {
namespace {

using runtime::Task;
using runtime::TaskGroup;
using Site = SamplePool;

struct Waiting {
    std::vector<int> served;  // in their order
    std::vector<AcquireFailure> failures;
    std::vector<Lease> leases;
};

Task<void> queue_up(ConnectionPool& pool, int number, Waiting& waiting, TriedBackends tried = {}) {
    auto acquired = co_await pool.acquire(tried);
    if (acquired) {
        waiting.served.push_back(number);
        waiting.leases.push_back(std::move(*acquired));
    } else {
        waiting.failures.push_back(acquired.error());
    }
}

Task<void> wait_in_order(Site& site, Waiting& waiting) {
    site.connections_max = 1;
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}}));
    std::vector<Lease> held;
    held.push_back(std::move(**pool.acquire_now({})));
    TaskGroup group(*site.reactor, 10);
    for (int number = 0; number < 5; ++number) {
        group.spawn(queue_up(pool, number, waiting));
    }
    CHECK(site.record->queue.used() == 5);
    CHECK(site.record->queued[0].value() == 5);
    held.clear();
    CHECK(waiting.served.empty());                  // they resume in a later turn
    CHECK_FALSE(pool.acquire_now({}).has_value());  // and nobody overtakes them meanwhile
    core::Instant deadline = site.after(20s);
    while (waiting.served.size() < 5 && site.reactor->now() < deadline) {
        CHECK(site.records[0]->connections.used() <= 1);
        waiting.leases.clear();
        co_await site.reactor->yield();
    }
    waiting.leases.clear();
    co_await group.join(deadline);
    CHECK(site.record->queue.used() == 0);
    CHECK(site.record->queued[0].value() == 0);
}

TEST_CASE("requests that wait are served in the order in which they came") {
    Site site;
    Waiting waiting;
    site.reactor->run(wait_in_order(site, waiting));
    CHECK(waiting.served == std::vector<int>{0, 1, 2, 3, 4});
    CHECK(waiting.failures.empty());
}

Task<void> wait_too_long(Site& site, Waiting& waiting) {
    site.connections_max = 1;
    site.config.queue_max = 2;
    site.config.queue_timeout = 15ms;
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}}));
    auto held = pool.acquire_now({});
    TaskGroup group(*site.reactor, 3);
    core::Instant begun = site.reactor->now();
    group.spawn(queue_up(pool, 0, waiting));
    group.spawn(queue_up(pool, 1, waiting));
    CHECK(waiting.failures.empty());
    group.spawn(queue_up(pool, 2, waiting));  // the queue is full
    CHECK(waiting.failures == std::vector{AcquireFailure::queue_full});
    co_await group.join(site.after(20s));
    CHECK(site.reactor->now() - begun >= 15ms);
    CHECK(site.record->queue.used() == 0);
}

TEST_CASE("a full queue refuses at once and a waiting request gives up at its time") {
    Site site;
    Waiting waiting;
    site.reactor->run(wait_too_long(site, waiting));
    CHECK(waiting.served.empty());
    CHECK(
        waiting.failures ==
        std::vector{AcquireFailure::queue_full, AcquireFailure::timed_out, AcquireFailure::timed_out}
    );
}

Task<void> leave_the_queue(Site& site, Waiting& waiting) {
    site.connections_max = 1;
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}}));
    auto held = pool.acquire_now({});
    TaskGroup leaving(*site.reactor, 2);
    TaskGroup staying(*site.reactor, 2);
    leaving.spawn(queue_up(pool, 0, waiting));
    staying.spawn(queue_up(pool, 1, waiting));
    leaving.spawn(queue_up(pool, 2, waiting));
    staying.spawn(queue_up(pool, 3, waiting));
    leaving.request_stop();
    co_await leaving.join();
    CHECK(site.record->queue.used() == 2);
    held.reset();
    core::Instant deadline = site.after(20s);
    while (waiting.served.size() < 2 && site.reactor->now() < deadline) {
        waiting.leases.clear();
        co_await site.reactor->yield();
    }
    co_await staying.join(deadline);
    waiting.leases.clear();
}

TEST_CASE("a request that is cancelled leaves the queue and the others move up") {
    Site site;
    Waiting waiting;
    site.reactor->run(leave_the_queue(site, waiting));
    CHECK(waiting.served == std::vector<int>{1, 3});
    CHECK(waiting.failures == std::vector(2, AcquireFailure::cancelled));
}

Task<void> change_while_waiting(Site& site, bool has_new_backend, Waiting& waiting) {
    site.connections_max = 1;
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}}));
    auto held = pool.acquire_now({});
    TaskGroup group(*site.reactor, 1);
    group.spawn(queue_up(pool, 0, waiting));
    pool.apply(has_new_backend ? site.state_of({{}, {}}) : site.state_of({{BackendState::down}}));
    co_await group.join(site.after(20s));
    waiting.leases.clear();
}

TEST_CASE("a waiting request learns of a new backend, and that there is none any more") {
    Site more;
    Waiting served;
    more.reactor->run(change_while_waiting(more, true, served));
    CHECK(served.served == std::vector<int>{0});
    CHECK(more.records[1]->connections.used() == 0);
    Site none;
    Waiting refused;
    none.reactor->run(change_while_waiting(none, false, refused));
    CHECK(refused.failures == std::vector{AcquireFailure::none_usable});
}

Task<void> wait_for_other_core(Site& site, Waiting& waiting) {
    site.connections_max = 1;
    site.config.queue_timeout = 1h;
    ConnectionPool here(*site.reactor, 0, site.state_of({{}}));
    ConnectionPool there(*site.reactor, 1, site.state_of({{}}));
    auto held = there.acquire_now({});
    TaskGroup group(*site.reactor, 1);
    group.spawn(queue_up(here, 0, waiting));
    held.reset();
    co_await group.join(site.after(20s));
    waiting.leases.clear();
}

TEST_CASE("a place that another core gives back is found") {
    Site site;
    Waiting waiting;
    site.reactor->run(wait_for_other_core(site, waiting));
    CHECK(waiting.served == std::vector<int>{0});
}

Task<void> wait_on_two_cores(Site& site, Waiting& waiting) {
    site.connections_max = 1;
    site.config.queue_timeout = 1h;
    std::array<ConnectionPool, 2> cores{
        ConnectionPool(*site.reactor, 0, site.state_of({{}})),
        ConnectionPool(*site.reactor, 1, site.state_of({{}}))
    };
    auto held = cores[0].acquire_now({});
    TaskGroup group(*site.reactor, 6);
    for (int number = 0; number < 6; ++number) {
        group.spawn(queue_up(cores[number == 1 || number == 4 ? 1 : 0], number, waiting));
    }
    held.reset();
    bool has_overtaken = false;
    core::Instant deadline = site.after(20s);
    while (waiting.served.size() < 6 && site.reactor->now() < deadline) {
        CHECK(site.records[0]->connections.used() <= 1);
        waiting.leases.clear();
        for (ConnectionPool& core : cores) {
            has_overtaken |= waiting.served.size() < 6 && core.acquire_now({}).has_value();
        }
        co_await site.reactor->yield();
    }
    CHECK_FALSE(has_overtaken);
    waiting.leases.clear();
    co_await group.join(deadline);
    CHECK(site.records[0]->connections.used() == 0);
    CHECK(site.records[0]->counters[0].in_flight.value() == 0);
    CHECK(site.records[0]->counters[1].in_flight.value() == 0);
}

TEST_CASE("requests of several cores are served in the order in which they came, and none that comes later") {
    Site site;
    Waiting waiting;
    site.reactor->run(wait_on_two_cores(site, waiting));
    CHECK(waiting.served == std::vector<int>{0, 1, 2, 3, 4, 5});
}

Task<void> wait_for_another_backend(Site& site, Waiting& waiting) {
    site.connections_max = 1;
    site.config.queue_timeout = 1h;
    ConnectionPool here(*site.reactor, 0, site.state_of({{}, {}}));
    ConnectionPool there(*site.reactor, 1, site.state_of({{}, {}}));
    auto one = here.acquire_now({});
    auto two = here.acquire_now({});
    REQUIRE(id_of(one) + id_of(two) == 201);
    TriedBackends tried;
    tried.add(id_of(one));
    TaskGroup group(*site.reactor, 3);
    group.spawn(queue_up(here, 0, waiting, tried));
    group.spawn(queue_up(here, 1, waiting));
    group.spawn(queue_up(there, 2, waiting));
    one.reset();
    co_await site.reactor->yield();
    co_await site.reactor->yield();
    CHECK(waiting.served == std::vector<int>{1});
    waiting.leases.clear();
    co_await site.reactor->yield();
    co_await site.reactor->yield();
    CHECK(waiting.served == std::vector<int>{1, 2});
    CHECK(site.record->queue.used() == 1);
    two.reset();
    co_await group.join(site.after(20s));
    waiting.leases.clear();
}

TEST_CASE("a retry that waits for another backend holds nobody up") {
    Site site;
    Waiting waiting;
    site.reactor->run(wait_for_another_backend(site, waiting));
    CHECK(waiting.served == std::vector<int>{1, 2, 0});
}

// A core whose reactor is another's: what it does here is done from outside.
struct OtherCore {
    explicit OtherCore(Site& site, const std::vector<SampleBackend>& backends)
        : reactor(*runtime::Reactor::open(site.os)), pool(*reactor, 1, site.state_of(backends)) {}

    std::unique_ptr<runtime::Reactor> reactor;
    ConnectionPool pool;
};

Task<void> leave_with_a_place(Site& site, Waiting& waiting) {
    site.connections_max = 1;
    site.config.queue_timeout = 1h;
    ConnectionPool here(*site.reactor, 0, site.state_of({{}}));
    OtherCore there(site, {{}});
    auto held = there.pool.acquire_now({});
    TaskGroup leaving(*site.reactor, 1);
    TaskGroup staying(*site.reactor, 1);
    leaving.spawn(queue_up(here, 0, waiting));
    staying.spawn(queue_up(here, 1, waiting));
    held.reset();  // for 0, which has left before the message comes
    CHECK_FALSE(here.acquire_now({}).has_value());
    leaving.request_stop();
    co_await leaving.join();
    co_await staying.join(site.after(20s));
    waiting.leases.clear();
    CHECK(site.records[0]->connections.used() == 0);
}

TEST_CASE("a place that was handed to a request that leaves goes to the next") {
    Site site;
    Waiting waiting;
    site.reactor->run(leave_with_a_place(site, waiting));
    CHECK(waiting.served == std::vector<int>{1});
    CHECK(waiting.failures == std::vector{AcquireFailure::cancelled});
}

Task<void> get_a_place_too_late(Site& site, Waiting& waiting) {
    site.connections_max = 1;
    site.config.queue_timeout = 1h;
    ConnectionPool here(*site.reactor, 0, site.state_of({{}, {}}));
    OtherCore there(site, {{}, {}});
    std::vector<Lease> held;
    held.push_back(std::move(**there.pool.acquire_now({})));
    held.push_back(std::move(**there.pool.acquire_now({})));
    TaskGroup group(*site.reactor, 1);
    group.spawn(queue_up(here, 0, waiting));
    size_t drained = held[0].backend().record->id - 100;
    held[0].release();
    std::vector<SampleBackend> backends(2);
    backends[drained].state = BackendState::draining;
    here.apply(site.state_of(backends));
    co_await site.reactor->yield();
    co_await site.reactor->yield();
    CHECK(site.record->queue.used() == 1);
    CHECK(site.records[drained]->connections.used() == 0);
    held[1].release();
    co_await group.join(site.after(20s));
    CHECK(waiting.leases[0].backend().record->id == 101 - drained);
    waiting.leases.clear();
}

TEST_CASE("a place at a backend that takes no more requests is not used by who waited for it") {
    Site site;
    Waiting waiting;
    site.reactor->run(get_a_place_too_late(site, waiting));
    CHECK(waiting.served == std::vector<int>{0});
}

Task<void> lower_the_bound(Site& site, Waiting& waiting) {
    site.config.queue_timeout = 1h;
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}}));
    std::vector<Lease> held;
    held.push_back(std::move(**pool.acquire_now({})));
    held.push_back(std::move(**pool.acquire_now({})));
    TaskGroup group(*site.reactor, 1);
    group.spawn(queue_up(pool, 0, waiting));
    site.records[0]->connections.set_limit(1);
    held[0].release();
    co_await site.reactor->yield();
    co_await site.reactor->yield();
    CHECK(waiting.served.empty());
    CHECK(site.records[0]->connections.used() == 1);
    held[1].release();
    co_await group.join(site.after(20s));
    waiting.leases.clear();
}

TEST_CASE("above a bound that was lowered, places go instead of being handed on") {
    Site site;
    Waiting waiting;
    site.reactor->run(lower_the_bound(site, waiting));
    CHECK(waiting.served == std::vector<int>{0});
}

// How long a condition may take before a test fails instead of hanging.
constexpr core::Duration kPatience = 60s;

// Two cores of real threads on one pool.
struct Threads {
    explicit Threads(size_t backends) {
        site.connections_max = 1;
        site.config.queue_timeout = 1h;  // or a last look would find a place that was lost
        for (size_t core = 0; core < kCores; ++core) {
            states[core] = site.state_of(std::vector<SampleBackend>(backends));
            reactors[core] = *runtime::Reactor::open(site.os);
        }
    }

    template <class Serve>
    void run(const Serve& serve) {
        runtime::Cores cores("test", kCores, [&](size_t core) {
            ConnectionPool pool(*reactors[core], core, std::move(states[core]));
            reactors[core]->run(serve(*this, *reactors[core], pool));
        });
    }

    Site site;
    std::array<std::unique_ptr<const PoolState>, kCores> states;
    std::array<std::unique_ptr<runtime::Reactor>, kCores> reactors;
    std::atomic<uint32_t> running{0};
    std::atomic<uint32_t> most{0};
    std::atomic<uint32_t> served{0};
    std::atomic<uint32_t> failed{0};
};

// One request, which runs for a turn or less.
Task<void> request(Threads& threads, runtime::Reactor& reactor, ConnectionPool& pool, TriedBackends tried) {
    auto acquired = pool.acquire_now(tried);
    if (!acquired) {
        acquired = co_await pool.acquire(tried);
    }
    if (!*acquired) {
        ++threads.failed;
        co_return;
    }
    uint32_t now = ++threads.running;
    uint32_t before = threads.most;
    while (now > before && !threads.most.compare_exchange_weak(before, now)) {
    }
    if (++threads.served % 3 != 0) {
        co_await reactor.yield();
    }
    --threads.running;
}

Task<void> rush(Threads& threads, runtime::Reactor& reactor, ConnectionPool& pool) {
    for (uint32_t round = 0; round < 500; ++round) {
        TriedBackends tried;
        if (round % 5 == 0) {
            tried.add(100 + round / 5 % 2);
        }
        co_await request(threads, reactor, pool, tried);
    }
}

Task<void> rush_on_core(Threads& threads, runtime::Reactor& reactor, ConnectionPool& pool) {
    TaskGroup group(reactor, 8);
    for (int number = 0; number < 8; ++number) {
        group.spawn(rush(threads, reactor, pool));
    }
    co_await group.join(reactor.now() + kPatience);
}

TEST_CASE("over threads the bound holds and everybody is served") {
    Threads threads(2);
    threads.run(rush_on_core);
    CHECK(threads.served == kCores * 8 * 500);
    CHECK(threads.failed == 0);
    CHECK(threads.most <= 2);
    for (const auto& record : threads.site.records) {
        CHECK(record->connections.used() == 0);
    }
    CHECK(threads.site.record->queue.used() == 0);
}

// One request a round on each core; nobody begins another before all have ended, so a place that is lost
// stays so.
Task<void> meet(Threads& threads, runtime::Reactor& reactor, ConnectionPool& pool) {
    for (uint32_t round = 1; round <= 3000 && threads.failed == 0; ++round) {
        TaskGroup group(reactor, 1);
        group.spawn(request(threads, reactor, pool, {}));
        co_await group.join(reactor.now() + kPatience);
        while (threads.served < round * kCores && threads.failed == 0) {
            co_await reactor.yield();
        }
    }
}

TEST_CASE("a place that comes back while a request enters the queue is not lost") {
    Threads threads(1);
    threads.run(meet);
    CHECK(threads.failed == 0);
    CHECK(threads.most == 1);
}

}  // namespace
}  // namespace upstream
