// What packets do when they arrive, and what faults do to connections; see sim_os.h.
#include <netinet/in.h>

#include <cerrno>

#include "core/panic.h"
#include "sim/sim_os.h"

namespace sim {

namespace {

// Linux sends a lost SYN again after a second (RFC 6298 section 2.1).
constexpr core::Duration kSynAgain = 1s;

// Spreads source ports over the listeners of one address.
uint64_t mixed(const Place& place) {
    uint64_t word = (uint64_t{std::to_underlying(place.host)} << 16 | place.port) * 0x9E3779B97F4A7C15;
    return word ^ (word >> 32);
}

}  // namespace

void SimOs::kill_host(Host host) {
    dead_.insert(host);
    for (auto& [fd, descriptor] : descriptors_) {
        auto* listener = std::get_if<Listener>(&descriptor.kind);
        if (listener && descriptor.owner == host) {
            for (uint64_t id : listener->queue) {
                connections_.at(id).ends[1].state = EndState::closed;
                send_reset(id, 0);
            }
            listener->queue.clear();
        }
    }
    for (auto& [id, connection] : connections_) {
        for (unsigned side : {0U, 1U}) {
            if (connection.ends[side].place.host == host) {
                kill_end(id, side);
            }
        }
    }
}

void SimOs::kill_end(uint64_t id, unsigned side) {
    Connection& connection = connections_.at(id);
    End& end = connection.ends[side];
    if (end.state == EndState::established) {
        send_reset(id, 1 - side);
    }
    if (end.state == EndState::established || end.state == EndState::connecting) {
        end.inbox.clear();
        deliver_reset(end);
    }
    // An end in its handshake answers the last step of it with a reset: its listener is dead.
}

void SimOs::send_packet(
    PacketKind kind,
    uint64_t id,
    unsigned target_side,
    std::string bytes,
    size_t credit
) {
    Connection& connection = connections_.at(id);
    End& target = connection.ends[target_side];
    Packet packet{
        .kind = kind,
        .connection = id,
        .side = target_side,
        .source = connection.ends[1 - target_side].place,
        .target = target.place,
        .bytes = std::move(bytes),
        .credit = credit,
    };
    wire_.send(std::move(packet), now_, target.last_arrival);
}

void SimOs::send_reset(uint64_t id, unsigned target_side) {
    if (wire_.draw(wire_.config().reset_loses_percent)) {
        wire_.lose_data(id, target_side);
    }
    send_packet(PacketKind::reset, id, target_side);
}

void SimOs::deliver(const Packet& packet) {
    auto found = connections_.find(packet.connection);
    if (found == connections_.end()) {
        return;  // both ends have closed: nobody is left who could notice
    }
    End& end = found->second.ends[packet.side];
    switch (packet.kind) {
        case PacketKind::syn: return deliver_syn(packet);
        case PacketKind::syn_ack: return deliver_syn_ack(packet);
        case PacketKind::ack: return deliver_ack(packet);
        case PacketKind::data: return deliver_data(packet, end);
        case PacketKind::window:
            ASSERT(end.outstanding >= packet.credit);
            end.outstanding -= packet.credit;
            return refresh_space(end);
        case PacketKind::squeeze_end: end.is_squeezed = false; return refresh_space(end);
        case PacketKind::fin:
            if (end.state == EndState::established && !end.has_received_fin) {
                end.has_received_fin = true;
                edge(end.fd);
            }
            return;
        case PacketKind::reset: deliver_reset(end); return forget_if_over(packet.connection);
    }
}

void SimOs::deliver_syn(const Packet& packet) {
    End& end = connections_.at(packet.connection).ends[1];
    if (end.state == EndState::closed) {
        return;
    }
    int fd = find_listener(packet);
    if (fd < 0) {
        end.state = EndState::closed;
        return send_reset(packet.connection, 0);
    }
    const auto& listener = std::get<Listener>(at(fd).kind);
    if (listener.queue.size() > listener.backlog) {
        return wire_.schedule(packet, now_ + kSynAgain);
    }
    end.state = EndState::handshake;
    end.listener = fd;
    send_packet(PacketKind::syn_ack, packet.connection, 0);
}

void SimOs::deliver_syn_ack(const Packet& packet) {
    End& end = connections_.at(packet.connection).ends[0];
    if (end.state == EndState::connecting) {
        end.state = EndState::established;
        edge(end.fd);
        send_packet(PacketKind::ack, packet.connection, 1);
    }
}

void SimOs::deliver_ack(const Packet& packet) {
    End& end = connections_.at(packet.connection).ends[1];
    if (end.state != EndState::handshake) {
        return;
    }
    if (!is_open(end.listener) || dead_.contains(end.place.host)) {
        end.state = EndState::closed;
        return send_reset(packet.connection, 0);
    }
    end.state = EndState::established;
    std::get<Listener>(at(end.listener).kind).queue.push_back(packet.connection);
    edge(end.listener);
}

void SimOs::deliver_data(const Packet& packet, End& end) {
    if (end.state == EndState::closed) {
        return send_reset(packet.connection, 1 - packet.side);
    }
    if (end.state == EndState::established) {
        end.inbox += packet.bytes;
        edge(end.fd);
    }
}

// Source: Linux, tcp_reset(). What has arrived stays readable.
void SimOs::deliver_reset(End& end) {
    switch (end.state) {
        case EndState::connecting: end.error = ECONNREFUSED; break;
        case EndState::established: end.error = end.has_received_fin ? EPIPE : ECONNRESET; break;
        case EndState::handshake: end.state = EndState::closed; return;
        case EndState::none:
        case EndState::reset:
        case EndState::closed: return;
    }
    end.state = EndState::reset;
    edge(end.fd);
}

// Source: Linux, sk_stream_write_space(): who has found no space is told when a third of the buffer is free.
void SimOs::refresh_space(End& end) {
    bool has_space = (level(end) & runtime::kWritable) != 0;
    if (end.state == EndState::established && end.wants_space && has_space) {
        end.wants_space = false;
        edge(end.fd);
    }
}

// The listening socket for a connection attempt, or -1. With a shared port the source decides.
int SimOs::find_listener(const Packet& syn) {
    if (dead_.contains(syn.target.host)) {
        return -1;
    }
    std::vector<int> candidates;
    for (const auto& [fd, each] : descriptors_) {
        if (!std::holds_alternative<Listener>(each.kind) || each.bound->port != syn.target.port) {
            continue;
        }
        Host bound = each.bound->host;
        if (bound == syn.target.host || (bound == Host{INADDR_ANY} && each.owner == syn.target.host)) {
            candidates.push_back(fd);
        }
    }
    return candidates.empty() ? -1 : candidates[mixed(syn.source) % candidates.size()];
}

void SimOs::forget_if_over(uint64_t id) {
    Connection& connection = connections_.at(id);
    bool is_over = true;
    for (const End& end : connection.ends) {
        is_over = is_over && end.fd < 0 && (end.state == EndState::closed || end.state == EndState::none);
    }
    if (is_over) {
        connections_.erase(id);
    }
}

}  // namespace sim
