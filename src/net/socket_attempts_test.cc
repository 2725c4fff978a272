// A slow peer: as long as it takes bytes a send gets its time again, up to its limit.
#include "net/socket_attempts.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "runtime/linux_os.h"
#include "runtime/task_group.h"

namespace net {
namespace {

using namespace std::chrono_literals;
using runtime::Task;

constexpr core::Duration kPatience = 20s;

// A connection that holds kWindow bytes at most, of which the peer acknowledges what it has read. Each turn
// of the reactor takes half a millisecond, however slow the machine is.
class NarrowOs final : public runtime::LinuxOs {
public:
    static constexpr size_t kWindow = 1000;

    core::Instant now() override { return clock; }

    int wait(int poll, std::span<runtime::PollEvent> events, core::Duration) override {
        clock = clock + 500us;
        return LinuxOs::wait(poll, events, core::Duration::zero());
    }

    void arm_timer(int, core::Instant) override {}

    ssize_t send(int fd, std::span<const iovec> parts, int flags) override {
        size_t room = kWindow - static_cast<size_t>(sent - acknowledged);
        if (room == 0) {
            return -EAGAIN;
        }
        iovec part{.iov_base = parts[0].iov_base, .iov_len = std::min(parts[0].iov_len, room)};
        ssize_t taken = LinuxOs::send(fd, {&part, 1}, flags);
        sent += std::max<ssize_t>(taken, 0);
        return taken;
    }

    int64_t unacknowledged(int) override {
        ++looks;
        return is_broken ? -EINVAL : sent - acknowledged;
    }

    core::Instant clock{1h};
    int64_t sent = 0;
    int64_t acknowledged = 0;
    int looks = 0;
    bool is_broken = false;
};

struct Machine {
    Machine() { CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0); }

    [[nodiscard]] core::Instant after(core::Duration duration) const { return reactor->now() + duration; }

    NarrowOs os;
    std::unique_ptr<runtime::Reactor> reactor = *runtime::Reactor::open(os);
    BufferPool pool;
    SharedReadBuffer shared{pool};
    int ends[2] = {-1, -1};
};

// Takes what is there each time that the sender has looked, and so between any two looks.
Task<void> read_once_a_look(Machine& machine, Socket& socket, int64_t total) {
    ReadBuffer buffer(machine.shared);
    core::Instant deadline = machine.after(kPatience);
    for (int seen = 0; machine.os.acknowledged < total && machine.reactor->now() < deadline;) {
        if (machine.os.looks == seen) {
            if (co_await machine.reactor->yield() == runtime::Outcome::cancelled) {
                co_return;
            }
            continue;
        }
        seen = machine.os.looks;
        ssize_t received = co_await socket.receive(buffer, deadline);
        if (received <= 0) {
            co_return;
        }
        machine.os.acknowledged += received;
        buffer.clear();
    }
}

struct Slow {
    ssize_t result = 1;
    core::Instant begun{};
    core::Instant ended{};
};

constexpr int64_t kTotal = 20'000;

Task<void> send_slowly(Machine& machine, core::Duration limit, Slow& slow) {
    Socket near(*machine.reactor, machine.ends[0]);
    Socket far(*machine.reactor, machine.ends[1]);
    std::string bytes(kTotal, 'x');
    ReadBuffer source(machine.shared);
    std::ranges::copy(bytes, source.prepare().begin());
    source.commit(bytes.size());
    runtime::TaskGroup group(*machine.reactor, 1);
    group.spawn(read_once_a_look(machine, far, kTotal));
    slow.begun = machine.reactor->now();
    std::array<std::string_view, 1> parts{source.bytes()};
    slow.result = co_await near.send_from(
        source,
        bytes.size(),
        machine.pool,
        parts,
        machine.after(2ms),
        {.limit = machine.after(limit)}
    );
    slow.ended = machine.reactor->now();
    if (slow.result != 0) {
        group.request_stop();
    }
    co_await group.join(machine.after(kPatience));
}

TEST_CASE("a peer that takes bytes while as many are handed over keeps its connection") {
    Machine machine;
    Slow slow;
    machine.reactor->run(send_slowly(machine, 1h, slow));
    CHECK(slow.result == 0);
    CHECK(machine.os.sent == kTotal);
    CHECK(machine.os.looks > 5);  // it took many times what one send may take without progress
}

TEST_CASE("a send to a slow peer ends at its limit, whatever the progress") {
    Machine machine;
    Slow slow;
    machine.reactor->run(send_slowly(machine, 9ms, slow));
    CHECK(slow.result == -ETIMEDOUT);
    CHECK(slow.ended - slow.begun >= 9ms);
    CHECK(machine.os.looks >= 2);
    CHECK(machine.os.sent < kTotal);
}

Task<void> look(Machine& machine) {
    Socket near(*machine.reactor, machine.ends[0]);
    Socket far(*machine.reactor, machine.ends[1]);
    SendProgress progress;
    machine.os.sent = 700;
    CHECK_FALSE(progress.has_moved(near, 100));  // 600 of an earlier send are on their way
    CHECK_FALSE(progress.has_moved(near, 100));
    machine.os.acknowledged = 50;
    CHECK(progress.has_moved(near, 100));
    CHECK_FALSE(progress.has_moved(near, 100));
    machine.os.sent = 900;
    CHECK_FALSE(progress.has_moved(near, 300));  // handed over, not taken
    machine.os.sent = 1000;
    machine.os.acknowledged = 150;
    CHECK(progress.has_moved(near, 400));
    machine.os.acknowledged = 160;
    machine.os.is_broken = true;
    CHECK_FALSE(progress.has_moved(near, 400));
    machine.os.is_broken = false;
    CHECK(progress.has_moved(near, 400));
    co_return;
}

TEST_CASE("progress is what the peer has taken since the last look") {
    Machine machine;
    machine.reactor->run(look(machine));
}

}  // namespace
}  // namespace net
