// The reactor: order of timers and of what is ready, messages from other threads, descriptors that come and
// go.
#include "runtime/reactor.h"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "runtime/cores.h"
#include "runtime/event.h"
#include "runtime/linux_os.h"
#include "runtime/task_group.h"

namespace runtime {
namespace {

using namespace std::chrono_literals;

struct Machine {
    LinuxOs os;
    std::unique_ptr<Reactor> reactor = *Reactor::open(os);
};

Task<void> note_after_sleep(Reactor& reactor, core::Duration duration, std::vector<int>& order, int name) {
    core::Instant when = reactor.now() + duration;
    CHECK(co_await reactor.sleep_until(when) == Outcome::ready);
    CHECK(reactor.now() >= when);
    order.push_back(name);
}

Task<void> sleep_in_order(Reactor& reactor, std::vector<int>& order) {
    TaskGroup group(reactor, 4);
    group.spawn(note_after_sleep(reactor, 9ms, order, 9));
    group.spawn(note_after_sleep(reactor, 2ms, order, 2));
    group.spawn(note_after_sleep(reactor, 5ms, order, 5));
    group.spawn(note_after_sleep(reactor, -1ms, order, 0));  // has passed: does not wait
    CHECK(order == std::vector<int>{0});
    co_await group.join();
}

TEST_CASE("sleepers wake in the order of their instants and never early") {
    Machine machine;
    std::vector<int> order;
    machine.reactor->run(sleep_in_order(*machine.reactor, order));
    CHECK(order == std::vector<int>{0, 2, 5, 9});
}

Task<void> note_turns(Reactor& reactor, std::vector<int>& order, int name) {
    for (int round = 0; round < 3; ++round) {
        order.push_back(name);
        CHECK(co_await reactor.yield() == Outcome::ready);
    }
}

Task<void> take_turns(Reactor& reactor, std::vector<int>& order) {
    TaskGroup group(reactor, 3);
    for (int name = 1; name <= 3; ++name) {
        group.spawn(note_turns(reactor, order, name));
    }
    co_await group.join();
}

TEST_CASE("yield lets all others that are ready run first") {
    Machine machine;
    std::vector<int> order;
    machine.reactor->run(take_turns(*machine.reactor, order));
    CHECK(order == std::vector<int>{1, 2, 3, 1, 2, 3, 1, 2, 3});
}

Task<void> yield_until(Reactor& reactor, const bool& is_over, int& rounds) {
    while (!is_over && rounds < 100'000'000) {
        ++rounds;
        co_await reactor.yield();
    }
}

Task<void> spin_beside_a_timer(Reactor& reactor, int& rounds) {
    bool is_over = false;
    TaskGroup group(reactor, 1);
    group.spawn(yield_until(reactor, is_over, rounds));
    co_await reactor.sleep_for(5ms);
    is_over = true;
    co_await group.join();
}

TEST_CASE("a task that yields without end does not starve timers") {
    Machine machine;
    int rounds = 0;
    machine.reactor->run(spin_beside_a_timer(*machine.reactor, rounds));
    CHECK(rounds > 0);
    CHECK(rounds < 100'000'000);
}

struct Post {
    size_t sender;
    int number;
};

struct Inbox {
    std::vector<Post> posts;
    std::unique_ptr<Event> arrived;
};

Task<void> await_posts(Reactor& reactor, Inbox& inbox, size_t count) {
    core::Instant deadline = reactor.now() + 30s;
    while (inbox.posts.size() < count && reactor.now() < deadline) {
        co_await inbox.arrived->wait(deadline);
    }
}

TEST_CASE("messages from other threads arrive once each, in the order of each sender, and wake the reactor") {
    constexpr size_t kSenders = 3;
    constexpr int kPosts = 5000;
    Machine machine;
    Inbox inbox{.posts = {}, .arrived = std::make_unique<Event>(*machine.reactor)};
    {
        Reactor& reactor = *machine.reactor;
        Cores senders("test", kSenders, [&](size_t sender) {
            for (int number = 0; number < kPosts; ++number) {
                reactor.post([&inbox, sender, number] {
                    inbox.posts.push_back({sender, number});
                    inbox.arrived->set();
                });
            }
        });
        reactor.run(await_posts(reactor, inbox, kSenders * kPosts));
    }
    REQUIRE(inbox.posts.size() == kSenders * kPosts);
    std::vector<int> next(kSenders, 0);
    for (const Post& post : inbox.posts) {
        CHECK(post.number == next[post.sender]);
        ++next[post.sender];
    }
}

Task<void> answer_pings(Reactor& reactor, Inbox& inbox, size_t count, std::atomic<size_t>& answered) {
    core::Instant deadline = reactor.now() + 30s;
    while (answered < count && reactor.now() < deadline) {
        co_await inbox.arrived->wait(deadline);
        answered = inbox.posts.size();
    }
}

TEST_CASE("a message wakes a reactor that blocks, each time") {
    constexpr size_t kPings = 500;
    Machine machine;
    Inbox inbox{.posts = {}, .arrived = std::make_unique<Event>(*machine.reactor)};
    std::atomic<size_t> answered = 0;
    {
        Reactor& reactor = *machine.reactor;
        Cores sender("test", 1, [&](size_t) {
            LinuxOs clock;
            core::Instant deadline = clock.now() + 30s;
            for (size_t ping = 0; ping < kPings; ++ping) {
                reactor.post([&inbox] {
                    inbox.posts.push_back({});
                    inbox.arrived->set();
                });
                while (answered <= ping && clock.now() < deadline) {
                }
            }
        });
        reactor.run(answer_pings(reactor, inbox, kPings, answered));
    }
    CHECK(answered == kPings);
}

TEST_CASE("a message that posts another one delivers it in a later turn") {
    Machine machine;
    Reactor& reactor = *machine.reactor;
    std::vector<int> order;
    reactor.post([&] {
        order.push_back(1);
        reactor.post([&] { order.push_back(3); });
        order.push_back(2);
    });
    CHECK(order.empty());
    CHECK(reactor.turn(10s));
    CHECK(order == std::vector<int>{1, 2});
    CHECK(reactor.turn(10s));
    CHECK(order == std::vector<int>{1, 2, 3});
    int turns = 0;
    while (reactor.turn(0s) && turns < 5) {
        ++turns;
    }
    CHECK(turns < 5);  // what has been delivered keeps nobody awake
}

TEST_CASE("what is posted and never delivered is destroyed") {
    auto owned = std::make_unique<int>(1);
    Machine machine;
    machine.reactor->post([kept = std::move(owned)] { CHECK(*kept == 2); });
    CHECK(owned == nullptr);  // the leak checker sees whether the message dies with the reactor
}

TEST_CASE("slots of closed descriptors are used again, and none twice at a time") {
    Machine machine;
    Reactor& reactor = *machine.reactor;
    std::vector<std::pair<int, uint32_t>> open;
    std::set<uint32_t> taken;
    for (int round = 0; round < 400; ++round) {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        for (int end : ends) {
            int64_t slot = reactor.watch(end);
            REQUIRE(slot >= 0);
            auto index = static_cast<uint32_t>(slot);
            CHECK(taken.insert(index).second);
            CHECK(reactor.slot(index).fd == end);
            CHECK(reactor.slot(index).readiness == 0);
            open.emplace_back(end, index);
        }
        if (round % 4 == 3) {
            for (size_t closes = 0; closes < 6; ++closes) {
                auto [end, index] = open[static_cast<size_t>(round) % open.size()];
                std::erase(open, std::pair(end, index));
                reactor.unwatch(index);
                taken.erase(index);
                machine.os.close(end);
            }
        }
        reactor.turn(0s);
    }
    CHECK(*taken.rbegin() < 600);  // about 200 are open: slots are not handed out for ever
    for (auto [end, index] : open) {
        reactor.unwatch(index);
        machine.os.close(end);
    }
}

TEST_CASE("a descriptor that cannot be watched is refused with its error") {
    Machine machine;
    CHECK(machine.reactor->watch(-1) == -EBADF);
    int64_t slot = machine.reactor->watch(STDERR_FILENO);  // a file or a terminal: either is fine
    if (slot >= 0) {
        machine.reactor->unwatch(static_cast<uint32_t>(slot));
    }
}

TEST_CASE("housekeeping of one time wakes a core once, never early and at most 50 ms late") {
    Machine machine;
    Reactor& reactor = *machine.reactor;
    for (core::Duration wish :
         {core::Duration(0s), core::Duration(1ms), core::Duration(150ms), core::Duration(1s)}) {
        core::Instant at = reactor.housekeeping_in(wish);
        CHECK(at - reactor.now() >= wish);
        CHECK(at - reactor.now() < wish + 50ms);
        CHECK(at.since_start % 50ms == 0ns);
    }
    CHECK(reactor.housekeeping_in(core::Duration::max()).is_never());
}

TEST_CASE("a peer that reads wakes only who has asked for room") {
    Machine machine;
    Reactor& reactor = *machine.reactor;
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    auto index = static_cast<uint32_t>(reactor.watch(ends[0]));
    auto events_after_the_peer_read = [&] {
        reactor.slot(index).readiness = 0;
        char byte = 0;
        REQUIRE(::write(ends[0], "x", 1) == 1);
        REQUIRE(::read(ends[1], &byte, 1) == 1);
        bool has_run = reactor.turn(0s);
        CHECK(has_run == (reactor.slot(index).readiness != 0));
        return reactor.slot(index).readiness;
    };
    CHECK(!reactor.turn(0s));
    CHECK(events_after_the_peer_read() == 0);
    reactor.watch_writing(reactor.slot(index));
    reactor.turn(0s);
    CHECK(reactor.slot(index).readiness == kWritable);  // there was room when it was asked
    CHECK(events_after_the_peer_read() == kWritable);

    reactor.unwatch(index);
    for (int end : ends) {
        machine.os.close(end);
    }
}

TEST_CASE("an event of a descriptor closed meanwhile does not reach the next owner of its slot") {
    Machine machine;
    Reactor& reactor = *machine.reactor;
    int first[2];
    int second[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, first) == 0);
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, second) == 0);
    auto slot = static_cast<uint32_t>(reactor.watch(first[0]));
    // The old descriptor stays open under another number, so that its events go on.
    int other = ::dup(first[0]);
    reactor.unwatch(slot);
    machine.os.close(first[0]);
    auto next = static_cast<uint32_t>(reactor.watch(second[0]));
    REQUIRE(next == slot);
    reactor.turn(0s);
    reactor.slot(next).readiness = 0;
    REQUIRE(::write(first[1], "x", 1) == 1);
    reactor.turn(0s);
    CHECK(reactor.slot(next).readiness == 0);
    REQUIRE(::write(second[1], "x", 1) == 1);
    reactor.turn(0s);
    CHECK((reactor.slot(next).readiness & kReadable) != 0);
    reactor.unwatch(next);
    for (int fd : {first[1], second[0], second[1], other}) {
        machine.os.close(fd);
    }
}

}  // namespace
}  // namespace runtime
