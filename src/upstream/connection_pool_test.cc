// One pool on one core: nothing beyond a bound, retries go on, idle connections that are certainly alive.
#include "upstream/connection_pool.h"

#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "upstream/sample_pool.h"

namespace upstream {
namespace {

using runtime::Task;
using Certainty = ConnectionPool::Certainty;
using Site = SamplePool;

TEST_CASE("each backend has no more requests than its bound, and a place given back is free at once") {
    Site site;
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}, {}, {}}));
    std::vector<Lease> leases;
    for (int number = 0; number < 6; ++number) {
        auto acquired = pool.acquire_now({});
        REQUIRE(id_of(acquired) >= 100);
        leases.push_back(std::move(**acquired));
    }
    for (const auto& record : site.records) {
        CHECK(record->connections.used() == 2);
        CHECK(record->counters[0].in_flight.value() == 2);
        CHECK(record->counters[1].in_flight.value() == 0);
    }
    CHECK_FALSE(pool.acquire_now({}).has_value());
    uint32_t freed = leases[3].backend().record->id;
    leases[3].release();
    CHECK(id_of(pool.acquire_now({})) == freed);  // given back with the temporary
    leases.clear();
    for (const auto& record : site.records) {
        CHECK(record->connections.used() == 0);
        CHECK(record->counters[0].in_flight.value() == 0);
    }
}

TEST_CASE("a lease is given back once, however it is moved") {
    Site site;
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}}));
    Lease first = std::move(**pool.acquire_now({}));
    Lease second = std::move(first);
    CHECK_FALSE(static_cast<bool>(first));
    CHECK(static_cast<bool>(second));
    first.release();
    CHECK(site.records[0]->connections.used() == 1);
    Lease third = std::move(**pool.acquire_now({}));
    CHECK(site.records[0]->connections.used() == 2);
    third = std::move(second);
    CHECK(site.records[0]->connections.used() == 1);
    third.release();
    third.release();
    CHECK(site.records[0]->connections.used() == 0);
}

TEST_CASE("the bound is shared with other cores") {
    Site site;
    ConnectionPool here(*site.reactor, 0, site.state_of({{}}));
    ConnectionPool there(*site.reactor, 1, site.state_of({{}}));
    auto first = here.acquire_now({});
    auto second = there.acquire_now({});
    CHECK(id_of(first) == 100);
    CHECK(id_of(second) == 100);
    CHECK_FALSE(here.acquire_now({}).has_value());
    CHECK_FALSE(there.acquire_now({}).has_value());
    CHECK(site.records[0]->counters[1].in_flight.value() == 1);
}

TEST_CASE("a pool without a usable backend says so at once") {
    Site site;
    ConnectionPool none(*site.reactor, 0, site.state_of({}));
    CHECK(failure_of(none.acquire_now({})) == AcquireFailure::none_usable);
    ConnectionPool down(*site.reactor, 0, site.state_of({{BackendState::down}, {BackendState::draining}}));
    CHECK(failure_of(down.acquire_now({})) == AcquireFailure::none_usable);
    ConnectionPool weightless(*site.reactor, 0, site.state_of({{BackendState::up, false, 0}}));
    CHECK(failure_of(weightless.acquire_now({})) == AcquireFailure::none_usable);
}

TEST_CASE("a retry goes to backends not tried yet, then to those that stand by, then nowhere") {
    Site site;
    ConnectionPool pool(
        *site.reactor,
        0,
        site.state_of({{}, {}, {BackendState::up, true}, {BackendState::down}})
    );
    TriedBackends tried;
    uint32_t first = id_of(pool.acquire_now(tried));
    CHECK((first == 100 || first == 101));
    tried.add(first);
    for (int round = 0; round < 5; ++round) {
        CHECK(id_of(pool.acquire_now(tried)) == 201 - first);
    }
    tried.add(201 - first);
    CHECK(id_of(pool.acquire_now(tried)) == 102);  // the backup
    tried.add(102);
    CHECK(failure_of(pool.acquire_now(tried)) == AcquireFailure::all_tried);
}

TEST_CASE("a first attempt never goes to a backend that stands by, even when all others are full") {
    Site site;
    site.connections_max = 1;
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}, {BackendState::up, true}}));
    auto held = pool.acquire_now({});
    CHECK(id_of(held) == 100);
    CHECK_FALSE(pool.acquire_now({}).has_value());
}

TEST_CASE("active-passive sends everything to the first and a retry to the next") {
    Site site;
    site.connections_max = 10;
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}, {}, {}}, Mode::active_passive));
    for (int round = 0; round < 5; ++round) {
        CHECK(id_of(pool.acquire_now({})) == 100);
    }
    TriedBackends tried;
    tried.add(100);
    CHECK(id_of(pool.acquire_now(tried)) == 101);
    pool.apply(site.state_of({{BackendState::down}, {}, {}}, Mode::active_passive));
    CHECK(id_of(pool.acquire_now({})) == 101);
}

// Idle connections. The far ends play the backend.
struct Connections {
    explicit Connections(Site& where) : site(where) {}

    ~Connections() {
        for (int fd : far) {
            ::close(fd);
        }
    }

    Connections(const Connections&) = delete;
    Connections& operator=(const Connections&) = delete;

    net::Socket open() {
        int ends[2] = {-1, -1};
        CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        far.push_back(ends[1]);
        return net::Socket(*site.reactor, ends[0]);
    }

    Site& site;
    std::vector<int> far;
};

BackendLink& link_of(const std::optional<Acquired>& acquired) { return (*acquired)->backend(); }

Task<void> use_newest_first(Site& site) {
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}}));
    Connections connections(site);
    auto lease = pool.acquire_now({});
    BackendLink& backend = link_of(lease);
    CHECK_FALSE(pool.take_idle(backend, 1h, Certainty::as_seen).has_value());
    std::vector<int> kept;
    for (int number = 0; number < 3; ++number) {
        net::Socket socket = connections.open();
        kept.push_back(socket.fd());
        pool.keep_idle(backend, std::move(socket), Certainty::as_seen);
        co_await site.reactor->sleep_for(2ms);
    }
    CHECK(backend.counters.idle_connections.value() == 3);
    for (int number = 2; number >= 0; --number) {
        auto socket = pool.take_idle(backend, 1h, number == 1 ? Certainty::asks_system : Certainty::as_seen);
        CHECK((socket && socket->fd() == kept[static_cast<size_t>(number)]));
    }
    CHECK_FALSE(pool.take_idle(backend, 1h, Certainty::as_seen).has_value());
    CHECK(backend.counters.idle_connections.value() == 0);
}

TEST_CASE("the connection used last is used next") {
    Site site;
    site.reactor->run(use_newest_first(site));
}

Task<void> respect_age(Site& site) {
    site.config.idle_timeout = 8ms;
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}}));
    Connections connections(site);
    auto lease = pool.acquire_now({});
    BackendLink& backend = link_of(lease);
    pool.keep_idle(backend, connections.open(), Certainty::as_seen);
    co_await site.reactor->sleep_for(3ms);
    CHECK_FALSE(pool.take_idle(backend, 2ms, Certainty::as_seen).has_value());
    CHECK(backend.idle.size() == 1);  // too old for this request only
    co_await site.reactor->sleep_for(6ms);
    net::Socket young = connections.open();
    int young_fd = young.fd();
    pool.keep_idle(backend, std::move(young), Certainty::as_seen);
    pool.sweep();
    CHECK(backend.idle.size() == 1);
    CHECK(backend.counters.idle_connections.value() == 1);
    CHECK(backend.idle.front().socket.fd() == young_fd);
}

TEST_CASE("connections that nobody used for too long are not used, and swept") {
    Site site;
    site.reactor->run(respect_age(site));
}

enum class Far : uint8_t { closes, sends };

Task<void> meet_stale(Site& site, Far what, Certainty certainty, bool has_turn) {
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}}));
    Connections connections(site);
    auto lease = pool.acquire_now({});
    BackendLink& backend = link_of(lease);
    net::Socket good = connections.open();
    int good_fd = good.fd();
    pool.keep_idle(backend, std::move(good), Certainty::as_seen);
    pool.keep_idle(backend, connections.open(), certainty);
    co_await site.reactor->sleep_for(1ms);
    if (what == Far::closes) {
        ::close(std::exchange(connections.far.back(), -1));
    } else {
        CHECK(::write(connections.far.back(), "HTTP/1.1 408", 12) == 12);
    }
    if (has_turn) {
        co_await site.reactor->sleep_for(1ms);
    }
    // The stale one is thrown away, the one behind it serves.
    auto socket = pool.take_idle(backend, 1h, has_turn ? Certainty::as_seen : certainty);
    CHECK((socket && socket->fd() == good_fd));
    CHECK(backend.idle.empty());
    CHECK(backend.counters.idle_connections.value() == 0);
}

TEST_CASE("a connection on which something happened is not used again") {
    Site site;
    for (Far what : {Far::closes, Far::sends}) {
        CAPTURE(static_cast<int>(what));
        site.reactor->run(meet_stale(site, what, Certainty::as_seen, true));
        // Before the reactor can have heard of it, only the system knows.
        site.reactor->run(meet_stale(site, what, Certainty::asks_system, false));
    }
}

Task<void> sweep_ended(Site& site) {
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}}));
    Connections connections(site);
    auto lease = pool.acquire_now({});
    BackendLink& backend = link_of(lease);
    for (int number = 0; number < 4; ++number) {
        pool.keep_idle(backend, connections.open(), Certainty::as_seen);
    }
    ::close(std::exchange(connections.far[1], -1));
    co_await site.reactor->sleep_for(1ms);
    pool.sweep();
    CHECK(backend.idle.size() == 3);
    CHECK(backend.counters.idle_connections.value() == 3);
    pool.drop_idle();
    CHECK(backend.idle.empty());
    CHECK(backend.counters.idle_connections.value() == 0);
}

TEST_CASE("sweeping takes what the backend has closed, dropping takes all") {
    Site site;
    site.reactor->run(sweep_ended(site));
}

Task<void> keep_bounded(Site& site) {
    site.config.connections_max = 2;
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}}));
    Connections connections(site);
    auto lease = pool.acquire_now({});
    BackendLink& backend = link_of(lease);
    for (int number = 0; number < 4; ++number) {
        pool.keep_idle(backend, connections.open(), Certainty::as_seen);
    }
    CHECK(backend.idle.size() == 2);
    net::Socket talking = connections.open();
    CHECK(::write(connections.far.back(), "x", 1) == 1);
    pool.drop_idle();
    CHECK(talking.watched_slot().has_value());
    co_await site.reactor->sleep_for(1ms);
    pool.keep_idle(backend, std::move(talking), Certainty::as_seen);
    CHECK(backend.idle.empty());  // what has unread bytes is not kept
}

TEST_CASE("no more idle connections are kept than the backend may have, and none with unread bytes") {
    Site site;
    site.reactor->run(keep_bounded(site));
}

Task<void> change_state(Site& site, BackendState state, bool keeps_idle) {
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}, {}}));
    Connections connections(site);
    auto first = pool.acquire_now({});
    auto second = pool.acquire_now({});
    BackendLink& changed = id_of(first) == 100 ? link_of(first) : link_of(second);
    BackendLink& unchanged = id_of(first) == 100 ? link_of(second) : link_of(first);
    pool.keep_idle(changed, connections.open(), Certainty::as_seen);
    pool.keep_idle(unchanged, connections.open(), Certainty::as_seen);
    pool.apply(site.state_of({{state}, {}}));
    CHECK(changed.view.state == state);
    CHECK(changed.idle.size() == (keeps_idle ? 1 : 0));
    CHECK(unchanged.idle.size() == 1);
    pool.keep_idle(changed, connections.open(), Certainty::as_seen);
    CHECK(changed.idle.size() == (keeps_idle ? 2 : 0));
    for (int round = 0; round < 3; ++round) {
        bool is_usable = state == BackendState::checking;
        auto next = pool.acquire_now({});
        CHECK((is_usable || !next || id_of(next) == 101));
    }
    co_return;
}

TEST_CASE("a backend that went down keeps no idle connection, one that drains does") {
    for (auto [state, keeps_idle] :
         {std::pair(BackendState::down, false),
          std::pair(BackendState::disabled, false),
          std::pair(BackendState::draining, true),
          std::pair(BackendState::checking, true)}) {
        CAPTURE(backend_state_name(state));
        Site site;
        site.reactor->run(change_state(site, state, keeps_idle));
    }
}

TEST_CASE("a removed backend keeps its running request and nothing else") {
    Site site;
    Connections connections(site);
    ConnectionPool pool(*site.reactor, 0, site.state_of({{}, {}}));
    auto one = pool.acquire_now({});
    auto two = pool.acquire_now({});
    auto removed = id_of(one) == 101 ? std::move(one) : std::move(two);
    REQUIRE(id_of(removed) == 101);
    BackendLink& backend = link_of(removed);
    pool.keep_idle(backend, connections.open(), Certainty::as_seen);
    pool.apply(site.state_of({{}}));
    CHECK(backend.is_removed);
    CHECK(backend.idle.empty());
    CHECK(site.records[1]->counters[0].idle_connections.value() == 0);
    pool.keep_idle(backend, connections.open(), Certainty::as_seen);
    CHECK(backend.idle.empty());
    CHECK(site.records[1]->connections.used() == 1);
    for (int round = 0; round < 4; ++round) {
        CHECK(id_of(pool.acquire_now({})) != 101);
    }
    removed.reset();
    CHECK(site.records[1]->connections.used() == 0);
    CHECK(site.records[1]->counters[0].in_flight.value() == 0);
}

}  // namespace
}  // namespace upstream
