// The socket calls of the simulated system, with the answers Linux gives; see sim_os.h.
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/panic.h"
#include "sim/sim_os.h"

namespace sim {

namespace {

constexpr uint16_t kFirstEphemeralPort = 32768;
constexpr uint16_t kLastEphemeralPort = 60999;
constexpr Host kAnyHost{INADDR_ANY};

Place place_of(const sockaddr* address, socklen_t length) {
    ASSERT(length >= sizeof(sockaddr_in));
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    ASSERT(in.sin_family == AF_INET);
    return {.host = Host{ntohl(in.sin_addr.s_addr)}, .port = ntohs(in.sin_port)};
}

void fill(sockaddr_storage& storage, const Place& place) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(place.port);
    in.sin_addr.s_addr = htonl(std::to_underlying(place.host));
    storage = {};
    std::memcpy(&storage, &in, sizeof in);
}

}  // namespace

int SimOs::open_socket(int family) { return family == AF_INET ? open(Fresh{}) : -EAFNOSUPPORT; }

int SimOs::set_option(int fd, int level, int option, int value) {
    Descriptor& descriptor = at(fd);
    if (level == SOL_SOCKET && option == SO_REUSEPORT) {
        descriptor.is_port_shared = value != 0;
    }
    return 0;
}

int SimOs::bind(int fd, const sockaddr* address, socklen_t length) {
    Descriptor& descriptor = at(fd);
    if (!std::holds_alternative<Fresh>(descriptor.kind) || descriptor.bound) {
        return -EINVAL;
    }
    Place place = place_of(address, length);
    if (place.port == 0) {
        place.port = free_port(place.host);
    } else if (is_taken(place, descriptor.is_port_shared, fd)) {
        return -EADDRINUSE;
    }
    descriptor.bound = place;
    return 0;
}

int SimOs::listen(int fd, int backlog) {
    Descriptor& descriptor = at(fd);
    if (!std::holds_alternative<Fresh>(descriptor.kind)) {
        return -EINVAL;
    }
    ASSERT(backlog >= 0);
    if (!descriptor.bound) {
        descriptor.bound = Place{.host = descriptor.owner, .port = free_port(descriptor.owner)};
    }
    descriptor.kind = Listener{.backlog = static_cast<size_t>(backlog), .queue = {}};
    return 0;
}

int SimOs::accept(int fd, sockaddr_storage& peer) {
    auto* listener = std::get_if<Listener>(&at(fd).kind);
    if (listener == nullptr) {
        return -EINVAL;
    }
    if (listener->queue.empty()) {
        return -EAGAIN;
    }
    uint64_t id = listener->queue.front();
    listener->queue.pop_front();
    Connection& connection = connections_.at(id);
    fill(peer, connection.ends[0].place);
    Host owner = at(fd).owner;
    int accepted = open(Stream{.connection = id, .side = 1});
    at(accepted).owner = owner;
    connection.ends[1].fd = accepted;
    return accepted;
}

int SimOs::connect(int fd, const sockaddr* address, socklen_t length) {
    Descriptor& descriptor = at(fd);
    if (auto* stream = std::get_if<Stream>(&descriptor.kind)) {
        return end_of(*stream).state == EndState::connecting ? -EALREADY : -EISCONN;
    }
    ASSERT(std::holds_alternative<Fresh>(descriptor.kind));
    Place source = descriptor.bound.value_or(Place{.host = descriptor.owner, .port = 0});
    if (source.host == kAnyHost) {
        source.host = descriptor.owner;
    }
    if (source.port == 0) {
        source.port = free_port(source.host);
    }
    descriptor.bound = source;
    uint64_t id = next_connection_++;
    Connection& connection = connections_[id];
    connection.ends[0].place = source;
    connection.ends[0].state = EndState::connecting;
    connection.ends[0].fd = fd;
    connection.ends[1].place = place_of(address, length);
    descriptor.kind = Stream{.connection = id, .side = 0};
    send_packet(PacketKind::syn, id, 1);
    return -EINPROGRESS;
}

int SimOs::pending_error(int fd) {
    End* end = find_end(fd);
    return end ? std::exchange(end->error, 0) : 0;
}

int SimOs::local_address(int fd, sockaddr_storage& address) {
    if (End* end = find_end(fd)) {
        fill(address, end->place);
    } else {
        fill(address, at(fd).bound.value_or(Place{.host = kAnyHost, .port = 0}));
    }
    return 0;
}

// Source: Linux, tcp_recvmsg_locked(): bytes first, then the end of the stream, then the error.
ssize_t SimOs::receive(int fd, std::span<char> target) {
    End* end = find_end(fd);
    if (end == nullptr) {
        return -ENOTCONN;
    }
    ASSERT(!target.empty());
    size_t count = std::min(end->inbox.size(), target.size());
    if (count > 0) {
        std::memcpy(target.data(), end->inbox.data(), count);
        end->inbox.erase(0, count);
        if (end->state == EndState::established) {
            const Stream& stream = std::get<Stream>(at(fd).kind);
            send_packet(PacketKind::window, stream.connection, 1 - stream.side, {}, count);
        }
        return static_cast<ssize_t>(count);
    }
    if (end->has_received_fin) {
        return 0;
    }
    if (end->error != 0) {
        return -std::exchange(end->error, 0);
    }
    return end->state == EndState::reset ? 0 : -EAGAIN;
}

ssize_t SimOs::peek(int fd, std::span<char> target) {
    End* end = find_end(fd);
    if (end == nullptr || end->inbox.empty()) {
        return receive(fd, target);
    }
    size_t count = std::min(end->inbox.size(), target.size());
    std::memcpy(target.data(), end->inbox.data(), count);
    return static_cast<ssize_t>(count);
}

void SimOs::reset_on_close(int fd) {
    if (End* end = find_end(fd)) {
        end->is_aborting = true;
    }
}

// Source: Linux, tcp_sendmsg_locked() and sk_stream_wait_memory(): a short count also asks for the edge of
// free space.
ssize_t SimOs::send(int fd, std::span<const iovec> parts, int flags) {
    ASSERT((flags & ~MSG_MORE) == 0);
    End* end = find_end(fd);
    if (end == nullptr) {
        return -EPIPE;
    }
    if (end->error != 0) {
        return -std::exchange(end->error, 0);
    }
    if (end->state == EndState::reset || end->has_sent_fin) {
        return -EPIPE;
    }
    if (end->state == EndState::connecting) {
        return -EAGAIN;
    }
    std::string bytes;
    for (const iovec& part : parts) {
        bytes.append(static_cast<const char*>(part.iov_base), part.iov_len);
    }
    if (bytes.empty()) {
        return 0;
    }
    Stream stream = std::get<Stream>(at(fd).kind);
    size_t count = take_space(stream.connection, stream.side, bytes.size());
    if (count == 0) {
        return -EAGAIN;
    }
    bytes.resize(count);
    transmit(stream.connection, 1 - stream.side, std::move(bytes));
    return static_cast<ssize_t>(count);
}

// Bytes count as acknowledged when they are read: the two buffers of a direction are one here.
int64_t SimOs::unacknowledged(int fd) {
    const End* end = find_end(fd);
    return end == nullptr ? -EINVAL : static_cast<int64_t>(end->outstanding);
}

int SimOs::shutdown_write(int fd) {
    End* end = find_end(fd);
    if (end == nullptr || end->state != EndState::established) {
        return -ENOTCONN;
    }
    if (!end->has_sent_fin) {
        const Stream& stream = std::get<Stream>(at(fd).kind);
        end->has_sent_fin = true;
        send_packet(PacketKind::fin, stream.connection, 1 - stream.side);
        edge(fd);
    }
    return 0;
}

SimOs::End& SimOs::end_of(const Stream& stream) {
    return connections_.at(stream.connection).ends[stream.side];
}

SimOs::End* SimOs::find_end(int fd) {
    auto* stream = std::get_if<Stream>(&at(fd).kind);
    return stream ? &end_of(*stream) : nullptr;
}

uint16_t SimOs::free_port(Host host) {
    uint16_t& last = last_port_[host];
    for (int attempts = 0; attempts <= kLastEphemeralPort - kFirstEphemeralPort; ++attempts) {
        last = last < kFirstEphemeralPort || last == kLastEphemeralPort ? kFirstEphemeralPort
                                                                        : static_cast<uint16_t>(last + 1);
        if (!is_taken({.host = host, .port = last}, false, -1)) {
            return last;
        }
    }
    PANIC("the simulated host has no free port");
}

bool SimOs::is_taken(const Place& place, bool is_port_shared, int but) const {
    return std::ranges::any_of(descriptors_, [&](const auto& entry) {
        const Descriptor& other = entry.second;
        if (entry.first == but || !other.bound || other.bound->port != place.port) {
            return false;
        }
        bool is_same_host =
            other.bound->host == place.host || other.bound->host == kAnyHost || place.host == kAnyHost;
        return is_same_host && !(is_port_shared && other.is_port_shared);
    });
}

// How many of `wanted` bytes the send buffer takes now.
size_t SimOs::take_space(uint64_t id, unsigned side, size_t wanted) {
    Connection& connection = connections_.at(id);
    End& end = connection.ends[side];
    size_t bound = wire_.config().socket_buffer_bytes;
    size_t space = end.is_squeezed || end.outstanding >= bound ? 0 : bound - end.outstanding;
    size_t count = std::min(space, wanted);
    if (count > 0 && wire_.draw(wire_.config().squeeze_percent)) {
        // Other sockets have taken the memory: this one is full until some time later.
        count = wire_.random().below(count + 1);
        end.is_squeezed = true;
        core::Duration pause = std::chrono::microseconds(1 + wire_.random().below(2'000));
        wire_.schedule(
            {.kind = PacketKind::squeeze_end,
             .connection = id,
             .side = side,
             .source = end.place,
             .target = end.place},
            now_ + pause
        );
    }
    if (count < wanted) {
        end.wants_space = true;
    }
    end.outstanding += count;
    return count;
}

// Sends bytes that the buffer has taken, in one piece or in several that arrive one after the other.
void SimOs::transmit(uint64_t id, unsigned side, std::string bytes) {
    while (bytes.size() > 1 && wire_.draw(wire_.config().split_percent)) {
        size_t piece = 1 + wire_.random().below(bytes.size() - 1);
        send_packet(PacketKind::data, id, side, bytes.substr(0, piece));
        bytes.erase(0, piece);
    }
    send_packet(PacketKind::data, id, side, std::move(bytes));
}

// Source: RFC 1122 section 4.2.2.13: closing with unread bytes resets the connection, otherwise a FIN follows
// the bytes.
void SimOs::close_stream(const Stream& stream) {
    End& end = end_of(stream);
    unsigned other = 1 - stream.side;
    EndState before = std::exchange(end.state, EndState::closed);
    end.fd = -1;
    if (before == EndState::established) {
        if (!end.inbox.empty() || end.is_aborting) {
            send_reset(stream.connection, other);
        } else if (!end.has_sent_fin) {
            end.has_sent_fin = true;
            send_packet(PacketKind::fin, stream.connection, other);
        }
    } else if (before == EndState::connecting) {
        connections_.at(stream.connection).ends[1].state = EndState::closed;
    }
    end.inbox.clear();
    forget_if_over(stream.connection);
}

}  // namespace sim
