// Peers that leave while we wait for something else.
#include "net/hangup_guard.h"

#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <utility>

#include <doctest/doctest.h>

#include "net/socket.h"
#include "runtime/linux_os.h"
#include "runtime/task_group.h"

namespace net {
namespace {

using namespace std::chrono_literals;
using runtime::Outcome;
using runtime::Task;
using runtime::TaskGroup;

constexpr core::Duration kPatience = 20s;

struct Machine {
    runtime::LinuxOs os;
    std::unique_ptr<runtime::Reactor> reactor = *runtime::Reactor::open(os);
    BufferPool pool;
    SharedReadBuffer shared{pool};
};

struct Pair {
    Socket near;
    Socket far;
};

Pair open_pair(Machine& machine) {
    int ends[2] = {-1, -1};
    CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    return {Socket(*machine.reactor, ends[0]), Socket(*machine.reactor, ends[1])};
}

struct Waited {
    Outcome outcome = Outcome::pending;
    bool has_fired = false;
};

Task<void> wait_guarded(Machine& machine, Socket& peer, core::Duration duration, Waited& waited) {
    HangupGuard guard(peer, co_await runtime::CurrentFiber{});
    if (!guard.has_fired()) {
        waited.outcome = co_await machine.reactor->sleep_for(duration);
    }
    waited.has_fired = guard.has_fired();
}

enum class PeerDoes : uint8_t { leaves, closes_before, sends, nothing };

Task<void> guard_against(Machine& machine, PeerDoes what, core::Duration duration, Waited& waited) {
    Pair pair = open_pair(machine);
    if (what == PeerDoes::closes_before) {
        pair.far.shutdown_write();
    }
    TaskGroup group(*machine.reactor, 1);
    group.spawn(wait_guarded(machine, pair.near, duration, waited));
    if (what == PeerDoes::leaves) {
        pair.far.close();
    }
    if (what == PeerDoes::sends) {
        CHECK(co_await pair.far.send(machine.pool, "hello", machine.reactor->now() + kPatience) == 0);
    }
    co_await group.join(machine.reactor->now() + kPatience);
}

TEST_CASE("a peer that leaves interrupts the wait for something else") {
    Machine machine;
    Waited waited;
    machine.reactor->run(guard_against(machine, PeerDoes::leaves, 1h, waited));
    CHECK(waited.outcome == Outcome::cancelled);
    CHECK(waited.has_fired);
}

TEST_CASE("a peer that ended its direction before, sends, or does nothing interrupts no wait") {
    Machine machine;
    for (PeerDoes what : {PeerDoes::closes_before, PeerDoes::sends, PeerDoes::nothing}) {
        CAPTURE(static_cast<int>(what));
        Waited waited;
        machine.reactor->run(guard_against(machine, what, 10ms, waited));
        CHECK(waited.outcome == Outcome::ready);
        CHECK_FALSE(waited.has_fired);
    }
}

}  // namespace
}  // namespace net
