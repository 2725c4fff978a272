// Order and delay of packets; see wire.h.
#include "sim/wire.h"

#include <arpa/inet.h>

#include <algorithm>

#include "core/panic.h"

namespace sim {

Host host_of(std::string_view dotted) {
    in_addr address{};
    int parsed = inet_pton(AF_INET, std::string(dotted).c_str(), &address);
    ASSERT(parsed == 1);
    return Host{ntohl(address.s_addr)};
}

std::string to_string(Host host) {
    in_addr address{.s_addr = htonl(std::to_underlying(host))};
    char text[INET_ADDRSTRLEN];
    return inet_ntop(AF_INET, &address, text, sizeof text);
}

WireConfig WireConfig::drawn(core::Random& random) {
    WireConfig config;
    config.delay.min = std::chrono::microseconds(random.below(300));
    config.delay.max =
        config.delay.min + std::chrono::microseconds(random.below(random.below(4) == 0 ? 20'000 : 500));
    config.socket_buffer_bytes = size_t{1} << (10 + random.below(8));
    config.split_percent = static_cast<uint32_t>(random.below(60));
    config.squeeze_percent = static_cast<uint32_t>(random.below(30));
    config.spurious_percent = static_cast<uint32_t>(random.below(20));
    config.reset_loses_percent = static_cast<uint32_t>(random.below(100));
    return config;
}

void Wire::send(Packet packet, core::Instant now, core::Instant& channel_last) {
    core::Instant arrival = now + delay_between(packet.source.host, packet.target.host);
    channel_last = std::max(channel_last, arrival);
    schedule(std::move(packet), channel_last);
}

void Wire::schedule(Packet packet, core::Instant arrival) {
    flying_.emplace(Order{.arrival = arrival, .sequence = sequence_++}, std::move(packet));
}

core::Instant Wire::next_arrival() const {
    return flying_.empty() ? core::Instant::never() : flying_.begin()->first.arrival;
}

std::optional<Packet> Wire::take(core::Instant now) {
    while (!flying_.empty() && flying_.begin()->first.arrival <= now) {
        auto first = flying_.extract(flying_.begin());
        Packet packet = std::move(first.mapped());
        bool is_lost = packet.kind != PacketKind::squeeze_end &&
                       cut_.contains(link(packet.source.host, packet.target.host));
        if (is_lost) {
            if (packet.kind != PacketKind::syn) {
                held_.emplace_back(first.key().sequence, std::move(packet));
            }
            continue;
        }
        fold(first.key().arrival, packet);
        return packet;
    }
    return std::nullopt;
}

void Wire::lose_data(uint64_t connection, unsigned side) {
    std::erase_if(flying_, [&](const auto& entry) {
        const Packet& packet = entry.second;
        return packet.kind == PacketKind::data && packet.connection == connection && packet.side == side;
    });
}

void Wire::heal(Host a, Host b, core::Instant now) {
    Link healed = link(a, b);
    cut_.erase(healed);
    // With its old sequence and the present instant, what waited stands before all that is still flying.
    std::erase_if(held_, [&](auto& entry) {
        auto& [sequence, packet] = entry;
        if (link(packet.source.host, packet.target.host) != healed) {
            return false;
        }
        flying_.emplace(Order{.arrival = now, .sequence = sequence}, std::move(packet));
        return true;
    });
}

core::Duration Wire::delay_between(Host a, Host b) {
    auto own = delays_.find(link(a, b));
    const Delay& delay = own == delays_.end() ? config_.delay : own->second;
    auto spread = static_cast<uint64_t>((delay.max - delay.min).count());
    return delay.min + core::Duration(static_cast<int64_t>(random_.below(spread + 1)));
}

void Wire::fold(core::Instant arrival, const Packet& packet) {
    fold(static_cast<uint64_t>(arrival.since_start.count()));
    fold(static_cast<uint64_t>(packet.kind));
    fold(uint64_t{std::to_underlying(packet.source.host)} << 16 | packet.source.port);
    fold(uint64_t{std::to_underlying(packet.target.host)} << 16 | packet.target.port);
    fold(packet.credit);
    fold(packet.bytes.size());
    for (char byte : packet.bytes) {
        fold(static_cast<uint8_t>(byte));
    }
}

void Wire::fold(uint64_t word) {
    trace_ = (trace_ ^ word) * 0x100000001B3;
    trace_ ^= trace_ >> 29;
}

}  // namespace sim
