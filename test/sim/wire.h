// The wire of the simulation: packets between hosts, with drawn delays, partitions and an exact order that a
// seed replays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/random.h"
#include "core/units.h"

namespace sim {

using namespace std::chrono_literals;

// A machine of the simulation: its IPv4 address in host byte order.
enum class Host : uint32_t {};

// The host of "10.0.0.1". Panics on any other text.
[[nodiscard]] Host host_of(std::string_view dotted);

// "10.0.0.1".
[[nodiscard]] std::string to_string(Host host);

// A socket's address.
struct Place {
    Host host{};
    uint16_t port = 0;

    friend auto operator<=>(const Place&, const Place&) = default;
};

// How long a packet travels between two hosts: anything between the two bounds.
struct Delay {
    core::Duration min = 20us;
    core::Duration max = 200us;
};

// What the network does to everybody. The default is an orderly network; drawn() makes a rough one.
struct WireConfig {
    Delay delay;
    size_t socket_buffer_bytes = 64 << 10;  // one direction of one connection: in flight and unread together
    uint32_t split_percent = 0;             // sends whose bytes arrive in pieces, at different instants
    uint32_t squeeze_percent = 0;           // sends that find the buffer full earlier than its size says
    uint32_t spurious_percent = 0;          // waits that also report a descriptor on which nothing happened
    uint32_t reset_loses_percent = 0;       // resets that overtake the bytes sent before them

    // A network as rough as `random` says, with delays from microseconds to tens of milliseconds.
    [[nodiscard]] static WireConfig drawn(core::Random& random);
};

enum class PacketKind : uint8_t { syn, syn_ack, ack, data, window, fin, reset, squeeze_end };

struct Packet {
    PacketKind kind;
    uint64_t connection;  // the connection's number
    unsigned side;        // which end it goes to: 0 the connecting, 1 the accepting
    Place source;
    Place target;
    std::string bytes = {};  // of data
    size_t credit = 0;       // of window: bytes the receiver has read
};

class Wire {
public:
    Wire(uint64_t seed, const WireConfig& config) : random_(seed), config_(config) {}

    [[nodiscard]] const WireConfig& config() const { return config_; }

    // Sends at `now`; arrives after the link's delay, but never before `channel_last`, which it moves: a
    // channel is in order.
    void send(Packet packet, core::Instant now, core::Instant& channel_last);

    // Arrives exactly at `arrival`, whatever the link does.
    void schedule(Packet packet, core::Instant arrival);

    // The earliest arrival, or never.
    [[nodiscard]] core::Instant next_arrival() const;

    // Takes the next packet that has arrived at `now`. A packet of a cut link waits for the link to heal; a
    // syn is lost.
    [[nodiscard]] std::optional<Packet> take(core::Instant now);

    // Forgets the bytes that are on their way to that end.
    void lose_data(uint64_t connection, unsigned side);

    // Delays of one link, in both directions, from the next packet on.
    void set_delay(Host a, Host b, Delay delay) { delays_[link(a, b)] = delay; }

    void cut(Host a, Host b) { cut_.insert(link(a, b)); }

    // What waited arrives at `now`, in its order.
    void heal(Host a, Host b, core::Instant now);

    // True in `percent` of all calls, as the seed says.
    [[nodiscard]] bool draw(uint32_t percent) { return percent > 0 && random_.below(100) < percent; }

    [[nodiscard]] core::Random& random() { return random_; }

    // Folds every packet taken so far: two runs of one seed must agree.
    [[nodiscard]] uint64_t trace_hash() const { return trace_; }

private:
    using Link = std::pair<Host, Host>;

    struct Order {
        core::Instant arrival;
        uint64_t sequence;

        friend auto operator<=>(const Order&, const Order&) = default;
    };

    [[nodiscard]] static Link link(Host a, Host b) { return {std::min(a, b), std::max(a, b)}; }

    [[nodiscard]] core::Duration delay_between(Host a, Host b);
    void fold(core::Instant arrival, const Packet& packet);
    void fold(uint64_t word);

    core::Random random_;
    WireConfig config_;
    std::map<Order, Packet> flying_;
    std::vector<std::pair<uint64_t, Packet>> held_;  // by cut links, with their sequence
    std::map<Link, Delay> delays_;
    std::set<Link> cut_;
    uint64_t sequence_ = 0;
    uint64_t trace_ = 0xCBF29CE484222325;
};

}  // namespace sim
