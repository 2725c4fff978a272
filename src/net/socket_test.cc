// Sockets: every byte arrives once and in order, every wait ends for its reason, the peer's end is told from
// its failure.
#include "net/socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.h"
#include "net/listener.h"
#include "runtime/linux_os.h"
#include "runtime/task_group.h"

namespace net {
namespace {

using namespace std::chrono_literals;
using runtime::Task;
using runtime::TaskGroup;

// How long a condition may take before a test fails instead of hanging.
constexpr core::Duration kPatience = 20s;

struct Machine {
    runtime::LinuxOs os;
    std::unique_ptr<runtime::Reactor> reactor = *runtime::Reactor::open(os);
    BufferPool pool;
    SharedReadBuffer shared{pool};

    [[nodiscard]] core::Instant after(core::Duration duration) const { return reactor->now() + duration; }
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

// One whose near end takes little before it must wait.
Pair open_narrow_pair(Machine& machine) {
    Pair pair = open_pair(machine);
    CHECK(machine.os.set_option(pair.near.fd(), SOL_SOCKET, SO_SNDBUF, 4096) == 0);
    return pair;
}

// Both ends of a TCP connection over loopback; the near one connected.
Task<Pair> open_tcp_pair(Machine& machine) {
    auto address = Address::parse_host("127.0.0.1");
    auto listener = Listener::open(*machine.reactor, *address, {});
    CHECK(listener.has_value());
    auto near = Socket::connect(*machine.reactor, listener->address());
    CHECK(near.has_value());
    sockaddr_storage peer;
    ssize_t accepted = co_await listener->accept(peer);
    CHECK(accepted >= 0);
    ssize_t connected = co_await near->connected(machine.after(kPatience));
    CHECK(connected == 0);
    co_return Pair{std::move(*near), Socket(*machine.reactor, static_cast<int>(accepted))};
}

std::string pattern(size_t size, uint64_t seed) {
    core::Random random(seed);
    std::string text(size, ' ');
    for (char& byte : text) {
        byte = static_cast<char>(random.next());
    }
    return text;
}

// Receives until `size` bytes are there, with pauses that let the sender fill the socket.
Task<void> receive_slowly(Machine& machine, Socket& socket, size_t size, std::string& received) {
    ReadBuffer buffer(machine.shared);
    core::Random random(3);
    while (received.size() < size) {
        for (uint64_t pauses = random.below(3); pauses > 0; --pauses) {
            co_await machine.reactor->yield();
        }
        ssize_t count = co_await socket.receive(buffer, machine.after(kPatience));
        CHECK(count > 0);
        if (count <= 0) {
            break;
        }
        CHECK(buffer.bytes().size() == static_cast<size_t>(count));
        received += buffer.bytes();
        buffer.clear();
    }
}

Task<void> send_whole(Machine& machine, Socket& socket, std::string_view bytes, ssize_t& result) {
    result = co_await socket.send(machine.pool, bytes, machine.after(kPatience));
}

Task<void> send_parts(Machine& machine, std::string& sent, std::string& received) {
    Pair pair = open_narrow_pair(machine);
    core::Random random(17);
    TaskGroup group(*machine.reactor, 1);
    constexpr size_t kTotal = 1 << 20;
    group.spawn(receive_slowly(machine, pair.far, kTotal, received));
    while (sent.size() < kTotal) {
        std::array<std::string, 8> memory;
        std::array<std::string_view, 8> parts;
        size_t left = std::min(kTotal - sent.size(), BufferPool::kLargest);
        for (size_t at = 0; at < parts.size(); ++at) {
            uint64_t bound = random.below(4) == 0 ? 30000 : 50;
            memory[at] = pattern(std::min(left, random.below(bound)), random.next());
            left -= memory[at].size();
            parts[at] = memory[at];
            sent += memory[at];
        }
        ssize_t result = co_await pair.near.send(machine.pool, parts, machine.after(kPatience), MSG_MORE);
        CHECK(result == 0);
    }
    co_await group.join(machine.after(kPatience));
}

TEST_CASE("sends of many parts through a narrow socket deliver exactly their bytes") {
    Machine machine;
    std::string sent;
    std::string received;
    machine.reactor->run(send_parts(machine, sent, received));
    CHECK(received.size() == sent.size());
    CHECK((received == sent));
    CHECK(machine.pool.lent() == 0);
}

Task<void> overwrite_while_sending(Machine& machine, bool& has_waited, bool& is_exact) {
    Pair pair = open_narrow_pair(machine);
    std::string memory = pattern(100000, 1);
    const std::string original = memory;
    std::string received;
    ssize_t result = 1;
    TaskGroup group(*machine.reactor, 2);
    group.spawn(send_whole(machine, pair.near, memory, result));
    has_waited = result == 1 && machine.pool.lent() > 0;
    std::ranges::fill(memory, '?');
    group.spawn(receive_slowly(machine, pair.far, original.size(), received));
    co_await group.join(machine.after(kPatience));
    CHECK(result == 0);
    is_exact = received == original;
}

TEST_CASE("what must wait is copied: the caller's memory is free once send suspends") {
    Machine machine;
    bool has_waited = false;
    bool is_exact = false;
    machine.reactor->run(overwrite_while_sending(machine, has_waited, is_exact));
    CHECK(has_waited);
    CHECK(is_exact);
}

Task<void> send_from_buffer(
    Machine& machine,
    Socket& socket,
    ReadBuffer& source,
    size_t consumed,
    ssize_t& result
) {
    std::string_view bytes = source.bytes();
    std::array<std::string_view, 3> parts{bytes.substr(0, 10), bytes.substr(20, consumed - 20), "tail"};
    result = co_await socket.send_from(source, consumed, machine.pool, parts, machine.after(kPatience));
}

void fill(ReadBuffer& buffer, std::string_view bytes) {
    std::ranges::copy(bytes, buffer.prepare().begin());
    buffer.commit(bytes.size());
}

Task<void> forward(Machine& machine, size_t size, bool& has_waited) {
    Pair pair = open_narrow_pair(machine);
    ReadBuffer source(machine.shared);
    std::string bytes = pattern(size, 2);
    fill(source, bytes + "behind");
    std::string expected = bytes.substr(0, 10) + bytes.substr(20) + "tail";
    std::string received;
    ssize_t result = 1;
    TaskGroup group(*machine.reactor, 2);
    group.spawn(send_from_buffer(machine, pair.near, source, size, result));
    has_waited = result == 1;
    CHECK(source.bytes() == "behind");  // used up already, whether all was sent or not
    group.spawn(receive_slowly(machine, pair.far, expected.size(), received));
    co_await group.join(machine.after(kPatience));
    CHECK(result == 0);
    CHECK((received == expected));
    CHECK(source.bytes() == "behind");
}

TEST_CASE("send_from uses its source up before it suspends") {
    Machine machine;
    bool has_waited = true;
    machine.reactor->run(forward(machine, 100, has_waited));
    CHECK_FALSE(has_waited);
    machine.reactor->run(forward(machine, 60000, has_waited));
    CHECK(has_waited);
}

Task<void> await_nothing(Machine& machine) {
    Pair pair = open_pair(machine);
    ReadBuffer buffer(machine.shared);
    core::Instant deadline = machine.after(4ms);
    CHECK(co_await pair.near.receive(buffer, deadline) == -ETIMEDOUT);
    CHECK(machine.reactor->now() >= deadline);
    CHECK(buffer.is_empty());
    CHECK(co_await pair.near.receive(buffer, deadline) == -ETIMEDOUT);
    CHECK(co_await pair.far.send(machine.pool, "late", machine.after(kPatience)) == 0);
    // What is there is received even when the deadline has passed, once the reactor has heard of it.
    CHECK(co_await pair.near.receive(buffer, machine.after(kPatience)) == 4);
    CHECK(buffer.bytes() == "late");
}

TEST_CASE("a receive ends at its deadline and the socket can be used on") {
    Machine machine;
    machine.reactor->run(await_nothing(machine));
}

Task<void> send_to_nobody(Machine& machine) {
    Pair pair = open_narrow_pair(machine);
    std::string bytes(100000, 'x');
    core::Instant deadline = machine.after(5ms);
    CHECK(co_await pair.near.send(machine.pool, bytes, deadline) == -ETIMEDOUT);
    CHECK(machine.reactor->now() >= deadline);
    CHECK(machine.pool.lent() == 0);
}

TEST_CASE("a send to a peer that takes nothing ends at its deadline") {
    Machine machine;
    machine.reactor->run(send_to_nobody(machine));
}

Task<void> receive_after_end(Machine& machine) {
    Pair pair = open_pair(machine);
    ReadBuffer buffer(machine.shared);
    CHECK(co_await pair.far.send(machine.pool, "last words", machine.after(kPatience)) == 0);
    pair.far.shutdown_write();
    CHECK(co_await pair.near.receive(buffer, machine.after(kPatience)) == 10);
    CHECK(co_await pair.near.receive(buffer, machine.after(kPatience)) == 0);
    CHECK(co_await pair.near.receive(buffer, machine.after(kPatience)) == 0);
    CHECK(buffer.bytes() == "last words");
    // The other direction is still open.
    ReadBuffer other(machine.shared);
    CHECK(co_await pair.near.send(machine.pool, "answer", machine.after(kPatience)) == 0);
    CHECK(co_await pair.far.receive(other, machine.after(kPatience)) == 6);
    CHECK(other.bytes() == "answer");
    CHECK(buffer.bytes() == "last words");
}

TEST_CASE("the end of one direction is told after its last bytes, and the other stays open") {
    Machine machine;
    machine.reactor->run(receive_after_end(machine));
}

Task<void> meet_reset(Machine& machine) {
    Pair pair = co_await open_tcp_pair(machine);
    ReadBuffer buffer(machine.shared);
    pair.far.reset_on_close();
    pair.far.close();
    CHECK_FALSE(pair.far.is_open());
    CHECK(co_await pair.near.receive(buffer, machine.after(kPatience)) == -ECONNRESET);
    ssize_t sent = co_await pair.near.send(machine.pool, "x", machine.after(kPatience));
    CHECK(sent == -EPIPE);
}

Task<void> meet_reset_while_waiting(Machine& machine) {
    Pair pair = co_await open_tcp_pair(machine);
    struct Waiting {
        static Task<void> receive(Machine& where, Socket& socket, ssize_t& result) {
            ReadBuffer buffer(where.shared);
            result = co_await socket.receive(buffer, where.after(kPatience));
        }
    };
    ssize_t result = 1;
    TaskGroup group(*machine.reactor, 1);
    group.spawn(Waiting::receive(machine, pair.near, result));
    CHECK(result == 1);
    pair.far.reset_on_close();
    pair.far.close();
    co_await group.join(machine.after(kPatience));
    CHECK(result == -ECONNRESET);
}

TEST_CASE("a reset by the peer is an error, not an end") {
    Machine machine;
    machine.reactor->run(meet_reset(machine));
    machine.reactor->run(meet_reset_while_waiting(machine));
}

Task<void> connect_to_nobody(Machine& machine) {
    auto listener = Listener::open(*machine.reactor, *Address::parse_host("127.0.0.1"), {});
    CHECK(listener.has_value());
    Address address = listener->address();
    listener->close();
    auto socket = Socket::connect(*machine.reactor, address);
    if (!socket) {
        CHECK(socket.error().kind() == core::ErrorKind::refused);
        CHECK(socket.error().context().find(address.to_string()) != std::string::npos);
        co_return;
    }
    CHECK(co_await socket->connected(machine.after(kPatience)) == -ECONNREFUSED);
}

TEST_CASE("a refused connection says so") {
    Machine machine;
    machine.reactor->run(connect_to_nobody(machine));
}

TEST_CASE("a result below zero becomes an error with its kind") {
    CHECK(error_of(-ETIMEDOUT, "reading").kind() == core::ErrorKind::timed_out);
    CHECK(error_of(-ECANCELED, "reading").kind() == core::ErrorKind::cancelled);
    CHECK(error_of(-ECONNRESET, "reading").kind() == core::ErrorKind::reset);
    CHECK(error_of(-ECONNREFUSED, "reading").kind() == core::ErrorKind::refused);
    CHECK(error_of(-ECONNREFUSED, "connecting to 10.0.0.1:80")
              .context()
              .starts_with("connecting to 10.0.0.1:80: "));
}

Task<void> look_at_peer(Machine& machine) {
    Pair pair = open_pair(machine);
    ReadBuffer buffer(machine.shared);
    CHECK(pair.near.peek() == Peek::quiet);
    CHECK(pair.near.is_quiet());
    CHECK(co_await pair.far.send(machine.pool, "abc", machine.after(kPatience)) == 0);
    CHECK(pair.near.peek() == Peek::has_bytes);
    CHECK(pair.near.peek() == Peek::has_bytes);
    CHECK(co_await pair.near.receive(buffer, machine.after(kPatience)) == 3);  // peeking took nothing
    CHECK(buffer.bytes() == "abc");
    CHECK(pair.near.peek() == Peek::quiet);
    CHECK(co_await pair.near.receive(buffer, machine.after(1ms)) == -ETIMEDOUT);  // watched from here on
    CHECK(pair.near.is_watched());
    CHECK(pair.near.is_quiet());
    CHECK(co_await pair.far.send(machine.pool, "de", machine.after(kPatience)) == 0);
    co_await machine.reactor->sleep_for(1ms);  // a turn in which the event is seen
    CHECK_FALSE(pair.near.is_quiet());
    CHECK(pair.near.peek() == Peek::has_bytes);
    CHECK(co_await pair.near.receive(buffer, machine.after(kPatience)) == 2);
    CHECK(pair.near.is_quiet());
    pair.far.shutdown_write();
    co_await machine.reactor->sleep_for(1ms);
    CHECK_FALSE(pair.near.is_quiet());
    CHECK(pair.near.peek() == Peek::ended);
    CHECK(buffer.bytes() == "abcde");
}

TEST_CASE("peek tells bytes, silence and the end apart and takes nothing") {
    Machine machine;
    machine.reactor->run(look_at_peer(machine));
}

Task<void> look_at_broken_peer(Machine& machine) {
    Pair pair = co_await open_tcp_pair(machine);
    pair.far.reset_on_close();
    pair.far.close();
    core::Instant deadline = machine.after(kPatience);
    while (pair.near.peek() == Peek::quiet && machine.reactor->now() < deadline) {
        co_await machine.reactor->sleep_for(1ms);
    }
    CHECK(pair.near.peek() != Peek::quiet);
    CHECK(pair.near.peek() != Peek::has_bytes);
}

TEST_CASE("peek sees a broken connection") {
    Machine machine;
    machine.reactor->run(look_at_broken_peer(machine));
}

Task<void> say_goodbye(Machine& machine, Socket& socket, std::vector<ssize_t>& results) {
    ReadBuffer buffer(machine.shared);
    results.push_back(co_await socket.receive(buffer, machine.after(kPatience)));
    results.push_back(co_await socket.receive(buffer, machine.after(kPatience)));
    results.push_back(co_await socket.send(machine.pool, "goodbye", machine.after(kPatience)));
    std::string much(1 << 17, 'x');
    results.push_back(co_await socket.send(machine.pool, much, machine.after(kPatience)));
}

Task<void> stop_receiver(Machine& machine, std::vector<ssize_t>& results, std::string& received) {
    Pair pair = open_narrow_pair(machine);
    TaskGroup group(*machine.reactor, 1);
    group.spawn(say_goodbye(machine, pair.near, results));
    group.request_stop();
    co_await group.join();
    ReadBuffer buffer(machine.shared);
    CHECK(co_await pair.far.receive(buffer, machine.after(kPatience)) > 0);
    received = buffer.bytes().substr(0, 7);
}

TEST_CASE("a stopped fiber receives no more but may still send what the socket takes at once") {
    Machine machine;
    std::vector<ssize_t> results;
    std::string received;
    machine.reactor->run(stop_receiver(machine, results, received));
    CHECK(results == std::vector<ssize_t>{-ECANCELED, -ECANCELED, 0, -ECANCELED});
    CHECK(received == "goodbye");
}

Task<void> echo(Machine& machine, Socket& socket) {
    ReadBuffer buffer(machine.shared);
    while (co_await socket.receive(buffer, machine.after(kPatience)) > 0) {
        size_t size = buffer.bytes().size();
        std::array<std::string_view, 1> parts{buffer.bytes()};
        ssize_t sent = co_await socket.send_from(buffer, size, machine.pool, parts, machine.after(kPatience));
        CHECK(sent == 0);
    }
    socket.shutdown_write();
}

Task<void> send_in_pieces(Machine& machine, Socket& socket, std::string_view bytes) {
    core::Random random(23);
    while (!bytes.empty()) {
        std::string_view piece = bytes.substr(0, 1 + random.below(50000));
        bytes.remove_prefix(piece.size());
        CHECK(co_await socket.send(machine.pool, piece, machine.after(kPatience)) == 0);
    }
    socket.shutdown_write();
}

Task<void> echo_both_ways(Machine& machine, const std::string& sent, std::string& received) {
    Pair pair = co_await open_tcp_pair(machine);
    TaskGroup group(*machine.reactor, 3);
    group.spawn(echo(machine, pair.far));
    group.spawn(send_in_pieces(machine, pair.near, sent));
    group.spawn(receive_slowly(machine, pair.near, sent.size(), received));
    co_await group.join(machine.after(kPatience));
}

TEST_CASE("one task reads and another writes one socket at the same time") {
    Machine machine;
    std::string sent = pattern(3 << 20, 9);
    std::string received;
    machine.reactor->run(echo_both_ways(machine, sent, received));
    CHECK((received == sent));
    CHECK(machine.pool.lent() == 0);
}

TEST_CASE("a moved socket leaves nothing open behind, and closing twice closes once") {
    Machine machine;
    Pair pair = open_pair(machine);
    int fd = pair.near.fd();
    Socket moved = std::move(pair.near);
    CHECK_FALSE(pair.near.is_open());
    CHECK(moved.fd() == fd);
    moved = std::move(pair.far);
    CHECK(machine.os.set_option(fd, SOL_SOCKET, SO_SNDBUF, 4096) == -EBADF);  // what it had before is closed
    moved.close();
    moved.close();
    CHECK_FALSE(moved.is_open());
}

}  // namespace
}  // namespace net
