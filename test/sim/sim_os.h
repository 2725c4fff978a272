// An operating system in memory: a seeded network between hosts, virtual time, and the readiness rules of
// Linux's epoll. The production reactor runs on it unchanged; one seed always gives the same run.
//
// Time stands still until advance_to(). wait() never blocks: with nothing ready it returns 0, and the driver
// (sim::World) moves time on to the earlier of next_event_time() and the reactors' timers. Descriptors are
// never used twice, so that any use of a closed one is found: it stops the test.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "runtime/os.h"
#include "sim/wire.h"

namespace sim {

class SimOs final : public runtime::Os {
public:
    explicit SimOs(uint64_t seed, const WireConfig& config = {});

    // The driver's side.

    // The host whose program runs from now on: it owns the polls and sockets opened, and its address is the
    // default source.
    void run_as(Host host) { current_ = host; }

    // The earliest packet on the wire, or never.
    [[nodiscard]] core::Instant next_event_time() const { return wire_.next_arrival(); }

    // Moves the clock and delivers everything that has arrived by then, each packet at its own instant.
    void advance_to(core::Instant instant);

    // A poll of a host that runs has something to report at once.
    [[nodiscard]] bool has_ready() const;

    [[nodiscard]] uint64_t trace_hash() const { return wire_.trace_hash(); }

    // Descriptors that are open now: 0 after an orderly end of all programs.
    [[nodiscard]] size_t open_descriptors() const { return descriptors_.size(); }

    // The open descriptors in words, for the message of a failed test.
    [[nodiscard]] std::string describe_descriptors() const;

    // Faults.

    // The program of `host` dies: its connections are reset at both ends, its listeners refuse until it is
    // revived.
    void kill_host(Host host);

    // The listeners of `host` accept again.
    void revive_host(Host host) { dead_.erase(host); }

    [[nodiscard]] bool is_dead(Host host) const { return dead_.contains(host); }

    // The program of `host` gets no events, its kernel goes on: connections are established and buffers fill.
    void pause_host(Host host) { paused_.insert(host); }

    void resume_host(Host host) { paused_.erase(host); }

    [[nodiscard]] bool is_paused(Host host) const { return paused_.contains(host); }

    // Packets between the two wait until heal(); connection attempts are lost.
    void cut(Host a, Host b) { wire_.cut(a, b); }

    void heal(Host a, Host b) { wire_.heal(a, b, now_); }

    void set_delay(Host a, Host b, Delay delay) { wire_.set_delay(a, b, delay); }

    // The program's side, see runtime/os.h.

    core::Instant now() override { return now_; }

    core::WallTime wall_time() override;
    void fill_random(std::span<std::byte> target) override;
    int open_poll() override;
    int watch(int poll, int fd, uint64_t tag) override;
    int watch_writing(int poll, int fd, uint64_t tag) override;
    int wait(int poll, std::span<runtime::PollEvent> events, core::Duration timeout) override;
    // No peer here is slow enough to need it.
    int64_t unacknowledged(int fd) override;
    int open_timer() override;
    // The driver moves time by itself; see World.
    void arm_timer(int, core::Instant) override {}
    int open_wake() override;
    void wake(int fd) override;
    void clear_wake(int fd) override;
    int open_socket(int family) override;
    int set_option(int fd, int level, int option, int value) override;
    int bind(int fd, const sockaddr* address, socklen_t length) override;
    int listen(int fd, int backlog) override;
    int accept(int fd, sockaddr_storage& peer) override;
    int connect(int fd, const sockaddr* address, socklen_t length) override;
    int pending_error(int fd) override;
    int local_address(int fd, sockaddr_storage& address) override;
    ssize_t receive(int fd, std::span<char> target) override;
    ssize_t peek(int fd, std::span<char> target) override;
    void reset_on_close(int fd) override;
    ssize_t send(int fd, std::span<const iovec> parts, int flags) override;
    int shutdown_write(int fd) override;
    void close(int fd) override;
    int open_pipe(int (&ends)[2], int capacity) override;
    ssize_t splice(int source, int target, size_t count) override;
    ssize_t send_file(int socket, int file, uint64_t offset, size_t count) override;

private:
    // One end of a connection, as its kernel sees it.
    enum class EndState : uint8_t { none, connecting, handshake, established, reset, closed };

    struct End {
        Place place;
        EndState state = EndState::none;
        int fd = -1;        // -1: not accepted yet, or closed
        int listener = -1;  // of an accepting end
        int error = 0;      // SO_ERROR
        bool has_sent_fin = false;
        bool has_received_fin = false;
        bool is_aborting = false;      // close() resets
        bool wants_space = false;      // SOCK_NOSPACE: the next free space is an edge
        bool is_squeezed = false;      // the buffer counts as full for a while
        std::string inbox;             // arrived, not read
        size_t outstanding = 0;        // sent, and not known to be read by the other end
        core::Instant last_arrival{};  // of the channel that leads to this end
    };

    struct Connection {
        std::array<End, 2> ends;  // 0 connected, 1 accepted
    };

    struct Poll {
        std::deque<int> ready;
        std::set<int> watched;
    };

    struct Wake {
        bool is_raised = false;
    };

    struct Fresh {};

    struct Listener {
        size_t backlog;
        std::deque<uint64_t> queue;  // established, not accepted
    };

    struct Stream {
        uint64_t connection;
        unsigned side;
    };

    using Kind = std::variant<Poll, Wake, Fresh, Listener, Stream>;

    struct Descriptor {
        Host owner;
        Kind kind;
        std::optional<Place> bound = {};
        bool is_port_shared = false;  // SO_REUSEPORT
        int poll = -1;                // who watches it
        uint64_t tag = 0;
        bool is_write_watched = false;
        bool is_queued = false;  // stands in its poll's ready list
    };

    // sim_os.cc: descriptors and readiness
    int open(Kind kind);
    [[nodiscard]] Descriptor& at(int fd);
    [[nodiscard]] bool is_open(int fd) const { return descriptors_.contains(fd); }

    void edge(int fd);
    [[nodiscard]] uint32_t look_at(const Descriptor& descriptor);
    [[nodiscard]] uint32_t level(const Descriptor& descriptor) const;
    [[nodiscard]] uint32_t level(const End& end) const;
    [[nodiscard]] int spurious_edge(const Poll& poll);

    // sim_socket.cc: socket calls
    [[nodiscard]] End& end_of(const Stream& stream);
    [[nodiscard]] End* find_end(int fd);
    [[nodiscard]] uint16_t free_port(Host host);
    [[nodiscard]] bool is_taken(const Place& place, bool is_port_shared, int but) const;
    [[nodiscard]] size_t take_space(uint64_t id, unsigned side, size_t wanted);
    void transmit(uint64_t id, unsigned side, std::string bytes);
    void close_stream(const Stream& stream);

    // sim_delivery.cc: packets
    void send_packet(
        PacketKind kind,
        uint64_t id,
        unsigned target_side,
        std::string bytes = {},
        size_t credit = 0
    );
    void send_reset(uint64_t id, unsigned target_side);
    void deliver(const Packet& packet);
    void deliver_syn(const Packet& packet);
    void deliver_syn_ack(const Packet& packet);
    void deliver_ack(const Packet& packet);
    void deliver_data(const Packet& packet, End& end);
    void deliver_reset(End& end);
    void refresh_space(End& end);
    void kill_end(uint64_t id, unsigned side);
    [[nodiscard]] int find_listener(const Packet& syn);
    void forget_if_over(uint64_t id);

    Wire wire_;
    core::Random entropy_;
    core::Instant now_{.since_start = 1h};
    Host current_ = host_of("10.0.0.1");
    std::map<int, Descriptor> descriptors_;
    int next_descriptor_ = 3;
    std::map<uint64_t, Connection> connections_;
    uint64_t next_connection_ = 1;
    std::map<Host, uint16_t> last_port_;
    std::set<Host> dead_;
    std::set<Host> paused_;
};

}  // namespace sim
