// The simulated system must answer as Linux does: these tests state what the program under test may rely on.
#include "sim/sim_os.h"

#include <netinet/in.h>

#include <cerrno>
#include <cstring>

#include <doctest/doctest.h>

namespace sim {

namespace {

using runtime::kFailed;
using runtime::kHangup;
using runtime::kReadable;
using runtime::kWritable;

const Host kClient = host_of("10.0.0.1");
const Host kServer = host_of("10.0.1.1");
constexpr uint16_t kPort = 80;

sockaddr_in address_of(Host host, uint16_t port) {
    in_addr address{.s_addr = htonl(std::to_underlying(host))};
    return {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address, .sin_zero = {}};
}

// A client's and a server's poll on one network, and the calls a program makes, without sockaddr.
struct Fixture {
    explicit Fixture(const WireConfig& config = {}, uint64_t seed = 1) : os(seed, config) {
        os.run_as(kClient);
        poll = os.open_poll();
    }
    int bound(Host host, uint16_t port, int share = 0) {
        int fd = os.open_socket(AF_INET);
        (void)os.set_option(fd, SOL_SOCKET, SO_REUSEPORT, share);
        sockaddr_in in = address_of(host, port);
        int status = os.bind(fd, reinterpret_cast<const sockaddr*>(&in), sizeof in);
        if (status < 0) {
            os.close(fd);
            return status;
        }
        return fd;
    }
    int listener(int backlog = 16, int share = 0, uint16_t port = kPort) {
        os.run_as(kServer);
        int fd = bound(kServer, port, share);
        REQUIRE(fd >= 0);
        REQUIRE(os.listen(fd, backlog) == 0);
        os.run_as(kClient);
        return fd;
    }
    int connecting(uint16_t port = kPort) {
        int fd = os.open_socket(AF_INET);
        sockaddr_in in = address_of(kServer, port);
        REQUIRE(os.connect(fd, reinterpret_cast<const sockaddr*>(&in), sizeof in) == -EINPROGRESS);
        return fd;
    }
    int accepted(int from) {
        sockaddr_storage peer{};
        return os.accept(from, peer);
    }
    // Both ends of one established connection; the client's end first.
    std::pair<int, int> pair() {
        int from = listener();
        int client = connecting();
        settle();
        int server = accepted(from);
        REQUIRE(server >= 0);
        os.close(from);
        return {client, server};
    }
    // Lets everything arrive that is on the wire, and what that causes.
    void settle() {
        while (!os.next_event_time().is_never()) {
            os.advance_to(os.next_event_time());
        }
    }
    void watch(int fd) {
        REQUIRE(os.watch(poll, fd, static_cast<uint64_t>(fd)) == 0);
        REQUIRE(os.watch_writing(poll, fd, static_cast<uint64_t>(fd)) == 0);
    }

    // The readiness the poll reports for `fd` now; 0 for none.
    uint32_t events(int fd) {
        std::array<runtime::PollEvent, 16> reported;
        uint32_t readiness = 0;
        int count = os.wait(poll, reported, core::Duration::zero());
        for (int at = 0; at < count; ++at) {
            const runtime::PollEvent& event = reported[static_cast<size_t>(at)];
            readiness |= event.tag == static_cast<uint64_t>(fd) ? event.readiness : 0;
        }
        return readiness;
    }

    ssize_t send(int fd, std::string text) {
        iovec part{.iov_base = text.data(), .iov_len = text.size()};
        return os.send(fd, {&part, 1}, 0);
    }

    // What receive() gives, or "errno N"; "" is the end of the stream.
    std::string receive(int fd, size_t most = 1 << 20) {
        std::string text(most, '\0');
        ssize_t count = os.receive(fd, text);
        if (count < 0) {
            return "errno " + std::to_string(-count);
        }
        text.resize(static_cast<size_t>(count));
        return text;
    }

    SimOs os;
    int poll = -1;
};

std::string error_text(int code) { return "errno " + std::to_string(code); }

}  // namespace

TEST_CASE("a connection is in progress until the link has carried it, then writable") {
    Fixture sim;
    int from = sim.listener();
    int client = sim.connecting();
    sim.watch(client);
    CHECK(sim.events(client) == 0);
    CHECK(sim.send(client, "early") == -EAGAIN);
    CHECK(sim.accepted(from) == -EAGAIN);
    CHECK(sim.os.next_event_time() > sim.os.now());
    sim.settle();
    CHECK(sim.events(client) == kWritable);
    CHECK(sim.os.pending_error(client) == 0);
    int server = sim.accepted(from);
    REQUIRE(server >= 0);
    CHECK(sim.send(client, "hello") == 5);
    CHECK(sim.receive(server) == error_text(EAGAIN));
    sim.settle();
    CHECK(sim.receive(server) == "hello");
    CHECK(sim.receive(server) == error_text(EAGAIN));
}

TEST_CASE("nobody listens: the connection is refused") {
    Fixture sim;
    int client = sim.connecting();
    sim.watch(client);
    sim.settle();
    CHECK((sim.events(client) & (kFailed | kHangup)) == (kFailed | kHangup));
    CHECK(sim.os.pending_error(client) == ECONNREFUSED);
    CHECK(sim.os.pending_error(client) == 0);
}

TEST_CASE("accept tells the address the peer bound or was given") {
    Fixture sim;
    int from = sim.listener();
    int client = sim.connecting();
    sim.settle();
    sockaddr_storage peer{};
    sockaddr_storage own{};
    REQUIRE(sim.os.accept(from, peer) >= 0);
    REQUIRE(sim.os.local_address(client, own) == 0);
    CHECK(std::memcmp(&peer, &own, sizeof(sockaddr_in)) == 0);
    sockaddr_in in{};
    std::memcpy(&in, &peer, sizeof in);
    CHECK(ntohl(in.sin_addr.s_addr) == std::to_underlying(kClient));
    CHECK(ntohs(in.sin_port) >= 32768);
}

TEST_CASE("an address is taken unless both share their port; port 0 takes a free one") {
    Fixture sim;
    int first = sim.bound(kServer, 80);
    CHECK(first >= 0);
    CHECK(sim.bound(kServer, 80) == -EADDRINUSE);
    CHECK(sim.bound(kServer, 80, 1) == -EADDRINUSE);
    CHECK(sim.bound(kClient, 80) >= 0);
    sim.os.close(first);
    CHECK(sim.bound(kServer, 80, 1) >= 0);
    CHECK(sim.bound(kServer, 80, 1) >= 0);
    int free = sim.bound(kServer, 0);
    int other = sim.bound(kServer, 0);
    sockaddr_storage a{};
    sockaddr_storage b{};
    REQUIRE(sim.os.local_address(free, a) == 0);
    REQUIRE(sim.os.local_address(other, b) == 0);
    CHECK(std::memcmp(&a, &b, sizeof a) != 0);
}

TEST_CASE("listeners that share a port each get some of the connections") {
    Fixture sim;
    std::array<int, 2> from{sim.listener(64, 1), sim.listener(64, 1)};
    for (int count = 0; count < 40; ++count) {
        (void)sim.connecting();
    }
    sim.settle();
    std::array<int, 2> counts{};
    for (size_t at = 0; at < from.size(); ++at) {
        while (sim.accepted(from[at]) >= 0) {
            ++counts[at];
        }
    }
    CHECK(counts[0] + counts[1] == 40);
    CHECK(counts[0] >= 10);
    CHECK(counts[1] >= 10);
}

TEST_CASE("a full backlog lets connections wait for a place") {
    Fixture sim;
    int from = sim.listener(1);
    int last = -1;
    for (int count = 0; count < 3; ++count) {
        last = sim.connecting();
        sim.os.advance_to(sim.os.now() + 10ms);
    }
    sim.watch(last);
    CHECK(sim.events(last) == 0);
    CHECK(sim.accepted(from) >= 0);
    sim.os.advance_to(sim.os.now() + 2s);
    CHECK(sim.events(last) == kWritable);
    CHECK(sim.accepted(from) >= 0);
    CHECK(sim.accepted(from) >= 0);
    CHECK(sim.accepted(from) == -EAGAIN);
}

TEST_CASE("readiness is reported once an edge, with all that holds") {
    Fixture sim;
    auto [client, server] = sim.pair();
    sim.watch(server);
    CHECK(sim.events(server) == kWritable);
    CHECK(sim.events(server) == 0);
    CHECK(sim.send(client, "one") == 3);
    CHECK(sim.events(server) == 0);
    sim.settle();
    CHECK(sim.events(server) == (kReadable | kWritable));
    CHECK(sim.events(server) == 0);
    CHECK(sim.receive(server, 1) == "o");
    CHECK(sim.events(server) == 0);  // bytes are left, but nothing new came
    CHECK(sim.send(client, "two") == 3);
    sim.settle();
    CHECK(sim.events(server) == (kReadable | kWritable));
    CHECK(sim.receive(server) == "netwo");
}

TEST_CASE("what is ready before watch is reported by it; room only to who asks for it") {
    Fixture sim;
    auto [client, server] = sim.pair();
    CHECK(sim.send(client, "early") == 5);
    sim.settle();
    REQUIRE(sim.os.watch(sim.poll, server, static_cast<uint64_t>(server)) == 0);
    CHECK(sim.events(server) == kReadable);
    REQUIRE(sim.os.watch_writing(sim.poll, server, static_cast<uint64_t>(server)) == 0);
    CHECK(sim.events(server) == (kReadable | kWritable));
}

TEST_CASE("an edge whose cause was taken before the wait is not reported as readable") {
    Fixture sim;
    auto [client, server] = sim.pair();
    sim.watch(server);
    (void)sim.events(server);
    CHECK(sim.send(client, "x") == 1);
    sim.settle();
    CHECK(sim.receive(server) == "x");
    CHECK(sim.events(server) == kWritable);
}

TEST_CASE("a full buffer takes a part, then nothing, and tells when a third is free") {
    Fixture sim({.delay = {}, .socket_buffer_bytes = 3000});
    auto [client, server] = sim.pair();
    sim.watch(client);
    CHECK(sim.events(client) == kWritable);
    CHECK(sim.send(client, std::string(5000, 'a')) == 3000);
    CHECK(sim.send(client, "b") == -EAGAIN);
    sim.settle();
    CHECK(sim.events(client) == 0);  // arrived, but not read
    CHECK(sim.receive(server, 900).size() == 900);
    sim.settle();
    CHECK(sim.events(client) == 0);
    CHECK(sim.send(client, "b") == 1);  // there is space, only no edge yet
    CHECK(sim.send(client, std::string(1000, 'c')) == 899);
    CHECK(sim.receive(server, 1200).size() == 1200);
    sim.settle();
    CHECK(sim.events(client) == kWritable);
    CHECK(sim.receive(server).size() == 3000 - 900 - 1200 + 900);
}

TEST_CASE("who looks at a full buffer is told when a third is free, without having met EAGAIN") {
    Fixture sim({.delay = {}, .socket_buffer_bytes = 3000});
    auto [client, server] = sim.pair();
    CHECK(sim.send(client, std::string(3000, 'a')) == 3000);
    sim.watch(client);
    CHECK(sim.events(client) == 0);
    sim.settle();
    CHECK(sim.receive(server).size() == 3000);
    sim.settle();
    CHECK(sim.events(client) == kWritable);
}

TEST_CASE("bytes are lost or reordered by no configuration") {
    for (uint64_t seed = 1; seed <= 50; ++seed) {
        core::Random random(seed);
        Fixture sim(WireConfig::drawn(random), seed);
        auto [client, server] = sim.pair();
        sim.watch(client);
        std::string sent;
        std::string received;
        size_t idle = 0;
        while (received.size() < 20'000) {
            std::string piece(1 + random.below(3000), static_cast<char>('a' + random.below(26)));
            ssize_t count = sent.size() < 20'000 ? sim.send(client, piece) : 0;
            sent += piece.substr(0, count > 0 ? static_cast<size_t>(count) : 0);
            std::string text = sim.receive(server, 1 + random.below(2000));
            received += text.starts_with("errno") ? "" : text;
            if (!sim.os.next_event_time().is_never()) {
                sim.os.advance_to(sim.os.next_event_time());
            }
            REQUIRE(++idle < 200'000);
        }
        sim.os.shutdown_write(client);
        sim.settle();
        received += sim.receive(server);
        CHECK(received == sent);
        CHECK(sim.receive(server) == "");
    }
}

TEST_CASE("a sender who found no space always gets an edge, whatever the seed") {
    for (uint64_t seed = 1; seed <= 50; ++seed) {
        core::Random random(seed);
        Fixture sim(WireConfig::drawn(random), seed);
        auto [client, server] = sim.pair();
        sim.watch(client);
        (void)sim.events(client);
        for (int round = 0; round < 20; ++round) {
            // Short counts end the sending as EAGAIN does: epoll(7) promises an edge after both.
            while (sim.send(client, std::string(3000, 'x')) == 3000) {
            }
            sim.settle();
            while (!sim.receive(server).starts_with("errno")) {
            }
            sim.settle();
            CHECK((sim.events(client) & kWritable) != 0);
        }
    }
}

TEST_CASE("a half-closed connection still carries bytes the other way") {
    Fixture sim;
    auto [client, server] = sim.pair();
    sim.watch(server);
    (void)sim.events(server);
    CHECK(sim.send(client, "last words") == 10);
    CHECK(sim.os.shutdown_write(client) == 0);
    CHECK(sim.send(client, "more") == -EPIPE);
    sim.settle();
    CHECK(sim.events(server) == (kReadable | kWritable | kHangup));
    CHECK(sim.receive(server) == "last words");
    CHECK(sim.receive(server) == "");
    CHECK(sim.send(server, "answer") == 6);
    sim.os.close(server);
    sim.settle();
    CHECK(sim.receive(client) == "answer");
    CHECK(sim.receive(client) == "");
    sim.os.close(client);
}

TEST_CASE("closing with unread bytes resets the peer, closing after reading does not") {
    Fixture sim;
    auto [client, server] = sim.pair();
    sim.watch(client);
    (void)sim.events(client);
    CHECK(sim.send(client, "unread") == 6);
    CHECK(sim.send(server, "answer") == 6);
    sim.settle();
    sim.os.close(server);
    sim.settle();
    CHECK((sim.events(client) & (kFailed | kHangup)) == (kFailed | kHangup));
    CHECK(sim.receive(client) == "answer");  // what had arrived stays readable
    CHECK(sim.receive(client) == error_text(ECONNRESET));
    CHECK(sim.receive(client) == "");
    CHECK(sim.send(client, "x") == -EPIPE);
}

TEST_CASE("an abortive close resets the peer") {
    Fixture sim;
    auto [client, server] = sim.pair();
    sim.os.reset_on_close(server);
    sim.os.close(server);
    sim.settle();
    CHECK(sim.os.pending_error(client) == ECONNRESET);
}

TEST_CASE("peeked bytes stay, and peeking tells the end as receiving does") {
    Fixture sim;
    auto [client, server] = sim.pair();
    std::array<char, 3> seen;
    CHECK(sim.os.peek(server, seen) == -EAGAIN);
    CHECK(sim.send(client, "bytes") == 5);
    sim.os.close(client);
    sim.settle();
    CHECK(sim.os.peek(server, seen) == 3);
    CHECK(sim.receive(server) == "bytes");
    CHECK(sim.os.peek(server, seen) == 0);
}

TEST_CASE("both directions ended are a hang-up with all bits, as EPOLLHUP is read") {
    Fixture sim;
    auto [client, server] = sim.pair();
    sim.watch(server);
    (void)sim.events(server);
    sim.os.shutdown_write(server);
    CHECK(sim.events(server) == kWritable);
    sim.os.shutdown_write(client);
    sim.settle();
    CHECK(sim.events(server) == (kReadable | kWritable | kHangup | kFailed));
    CHECK(sim.os.pending_error(server) == 0);
}

TEST_CASE("who sends to a closed connection is reset") {
    Fixture sim;
    auto [client, server] = sim.pair();
    sim.os.close(server);
    sim.settle();
    CHECK(sim.receive(client) == "");
    CHECK(sim.send(client, "too late") == 8);
    sim.settle();
    CHECK(sim.send(client, "again") == -EPIPE);
    sim.os.close(client);
    CHECK(sim.os.open_descriptors() == 1);
}

TEST_CASE("a reset may lose the bytes sent before it, where the network says so") {
    Fixture sim({.delay = {}, .reset_loses_percent = 100});
    auto [client, server] = sim.pair();
    CHECK(sim.send(client, "unread") == 6);
    sim.settle();
    CHECK(sim.send(server, "answer") == 6);
    sim.os.close(server);
    sim.settle();
    CHECK(sim.receive(client) == error_text(ECONNRESET));
}

TEST_CASE("the events of a closed descriptor vanish") {
    Fixture sim;
    auto [client, server] = sim.pair();
    sim.watch(server);
    CHECK(sim.send(client, "x") == 1);
    sim.settle();
    sim.os.close(server);
    CHECK(sim.events(server) == 0);
    CHECK_FALSE(sim.os.has_ready());
}

TEST_CASE("a closed listener refuses those who wait for it and those who come") {
    Fixture sim;
    int from = sim.listener();
    int waiting = sim.connecting();
    sim.settle();
    int coming = sim.connecting();
    sim.os.close(from);
    sim.settle();
    CHECK(sim.os.pending_error(waiting) == ECONNRESET);
    CHECK(sim.os.pending_error(coming) == ECONNREFUSED);
}

TEST_CASE("a socket watched before it connects is reported as hung up") {
    Fixture sim;
    int fd = sim.os.open_socket(AF_INET);
    sim.watch(fd);
    CHECK(sim.events(fd) == (kReadable | kWritable | kHangup | kFailed));
}

TEST_CASE("a wake is readable until it is cleared") {
    Fixture sim;
    int fd = sim.os.open_wake();
    sim.watch(fd);
    CHECK(sim.events(fd) == 0);
    sim.os.wake(fd);
    CHECK(sim.os.has_ready());
    CHECK(sim.events(fd) == kReadable);
    sim.os.clear_wake(fd);
    sim.os.wake(fd);
    CHECK(sim.events(fd) == kReadable);
    sim.os.clear_wake(fd);
    CHECK(sim.events(fd) == 0);
}

TEST_CASE("a killed host resets its connections and refuses until it is revived") {
    Fixture sim;
    int from = sim.listener();
    int client = sim.connecting();
    int waiting = sim.connecting();
    sim.settle();
    int server = sim.accepted(from);
    int coming = sim.connecting();
    sim.os.kill_host(kServer);
    int late = sim.connecting();
    sim.settle();
    CHECK(sim.os.pending_error(client) == ECONNRESET);
    CHECK(sim.os.pending_error(server) == ECONNRESET);
    CHECK(sim.os.pending_error(waiting) == ECONNRESET);
    CHECK(sim.os.pending_error(coming) == ECONNREFUSED);
    CHECK(sim.os.pending_error(late) == ECONNREFUSED);
    CHECK(sim.accepted(from) == -EAGAIN);
    sim.os.revive_host(kServer);
    int again = sim.connecting();
    sim.settle();
    CHECK(sim.os.pending_error(again) == 0);
    CHECK(sim.accepted(from) >= 0);
}

TEST_CASE("a cut link loses attempts to connect and holds bytes until it heals") {
    Fixture sim;
    auto [client, server] = sim.pair();
    int from = sim.listener();
    CHECK(sim.send(client, "before ") == 7);
    sim.os.cut(kClient, kServer);
    CHECK(sim.send(client, "during ") == 7);
    int lost = sim.connecting();
    sim.settle();
    sim.os.advance_to(sim.os.now() + 1s);
    CHECK(sim.receive(server) == error_text(EAGAIN));
    sim.os.heal(kServer, kClient);
    CHECK(sim.send(client, "after") == 5);
    sim.settle();
    CHECK(sim.receive(server) == "before during after");
    CHECK(sim.send(lost, "x") == -EAGAIN);
    CHECK(sim.accepted(from) == -EAGAIN);
}

TEST_CASE("a paused host sees nothing until it resumes, and its kernel goes on") {
    Fixture sim;
    auto [client, server] = sim.pair();
    sim.watch(client);
    (void)sim.events(client);
    sim.os.pause_host(kClient);
    CHECK(sim.send(server, "x") == 1);
    sim.settle();
    CHECK(sim.events(client) == 0);
    CHECK_FALSE(sim.os.has_ready());
    sim.os.resume_host(kClient);
    CHECK(sim.events(client) == (kReadable | kWritable));
}

TEST_CASE("a link's own delay decides when bytes arrive") {
    Fixture sim;
    auto [client, server] = sim.pair();
    sim.os.set_delay(kServer, kClient, {.min = 3s, .max = 3s});
    core::Instant start = sim.os.now();
    CHECK(sim.send(client, "slow") == 4);
    CHECK(sim.os.next_event_time() == start + 3s);
    sim.os.advance_to(start + 2999ms);
    CHECK(sim.receive(server) == error_text(EAGAIN));
    sim.os.advance_to(start + 3s);
    CHECK(sim.receive(server) == "slow");
}

TEST_CASE("time stands still but for advance_to") {
    Fixture sim;
    core::Instant start = sim.os.now();
    std::array<runtime::PollEvent, 1> none;
    CHECK(sim.os.wait(sim.poll, none, 5s) == 0);
    CHECK(sim.os.now() == start);
    core::WallTime wall = sim.os.wall_time();
    sim.os.advance_to(start + 5s);
    CHECK(sim.os.wall_time().since_epoch - wall.since_epoch == 5s);
}

TEST_CASE("spurious readiness comes only beside an event, and costs an EAGAIN") {
    Fixture sim({.delay = {}, .spurious_percent = 100});
    auto [client, server] = sim.pair();
    sim.watch(server);
    (void)sim.events(server);
    CHECK(sim.events(server) == 0);
    int other = sim.os.open_wake();
    sim.watch(other);
    sim.os.wake(other);
    CHECK(sim.events(server) == (kReadable | kWritable));
    CHECK(sim.receive(server) == error_text(EAGAIN));
    CHECK(sim.send(client, "x") == 1);
}

TEST_CASE("one seed gives one run, another seed another") {
    auto run = [](uint64_t seed) {
        core::Random random(seed);
        Fixture sim(WireConfig::drawn(random), seed);
        auto [client, server] = sim.pair();
        for (int round = 0; round < 20; ++round) {
            (void)sim.send(client, "some bytes");
            (void)sim.send(server, "others");
            sim.os.advance_to(sim.os.now() + 1ms);
            (void)sim.receive(server);
        }
        std::array<std::byte, 8> entropy;
        sim.os.fill_random(entropy);
        return std::pair(sim.os.trace_hash(), std::bit_cast<uint64_t>(entropy));
    };
    CHECK(run(7) == run(7));
    CHECK(run(7).first != run(8).first);
    CHECK(run(7).second != run(8).second);
}

}  // namespace sim
