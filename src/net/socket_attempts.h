// What a task repeats while it waits for a socket: receiving, connecting, sending. Part of socket.h, which
// includes it.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string_view>
#include <utility>

#include "net/socket.h"

namespace net {

// Whether a peer has taken bytes since the last look.
class SendProgress {
public:
    // `handed`: how many bytes the system has taken for the peer since this object was made. They count,
    // because a peer that takes bytes while as many are handed over leaves the same number unacknowledged.
    [[nodiscard]] bool has_moved(Socket& socket, uint64_t handed = 0) {
        int64_t unacknowledged = socket.reactor().os().unacknowledged(socket.fd());
        if (unacknowledged < 0) {
            return false;
        }
        int64_t taken = static_cast<int64_t>(handed) - unacknowledged;
        return std::exchange(taken_, taken) < taken;
    }

private:
    int64_t taken_ = 0;  // at the last look; below 0 by what was unacknowledged at the start
};

// The attempts that tasks wait with; see runtime::IoAttempt.
struct ReceiveAttempt {
    static constexpr runtime::Direction kDirection = runtime::Direction::read;

    Socket& socket;
    ReadBuffer& buffer;

    ssize_t operator()();

    [[nodiscard]] auto slot() const { return socket.watched_slot(); }
};

struct ConnectAttempt {
    static constexpr runtime::Direction kDirection = runtime::Direction::write;

    Socket& socket;

    ssize_t operator()();

    [[nodiscard]] auto slot() const { return socket.watched_slot(); }
};

template <size_t Count>
struct SendAttempt {
    static constexpr runtime::Direction kDirection = runtime::Direction::write;

    Socket& socket;
    BufferPool& pool;
    std::array<std::string_view, Count> parts;
    int flags;
    ReadBuffer* source = nullptr;                  // where the parts lie
    core::Instant limit = core::Instant::never();  // whatever the progress
    size_t consumed = 0;                           // bytes of it that are used up by the first attempt
    Buffer rest{};
    size_t rest_begin = 0;
    size_t rest_end = 0;
    uint64_t handed = 0;  // bytes that the system has taken
    SendProgress progress{};

    // 0 when all is sent, -EAGAIN while some is left, else -errno.
    ssize_t operator()() { return rest.size() == 0 ? first() : further(); }

    ssize_t first() {
        std::array<iovec, Count> vectors;
        size_t used = 0;
        size_t total = 0;
        for (std::string_view part : parts) {
            if (!part.empty()) {
                vectors[used++] = {.iov_base = const_cast<char*>(part.data()), .iov_len = part.size()};
                total += part.size();
            }
        }
        ssize_t sent = total == 0 ? 0 : socket.try_send(std::span(vectors).first(used), flags);
        if (sent < 0 && sent != -EAGAIN) {
            return sent;
        }
        auto taken = static_cast<size_t>(std::max<ssize_t>(sent, 0));
        handed = taken;
        bool is_whole = taken == total;
        if (!is_whole) {
            keep_rest(taken, total);
        }
        if (source != nullptr) {
            source->consume(consumed);
        }
        return is_whole ? 0 : -EAGAIN;
    }

    [[nodiscard]] bool has_progressed() { return progress.has_moved(socket, handed); }

    void keep_rest(size_t taken, size_t total) {
        rest = pool.take(total - taken);
        for (std::string_view part : parts) {
            size_t skipped = std::min(taken, part.size());
            part.remove_prefix(skipped);
            taken -= skipped;
            std::copy(part.begin(), part.end(), rest.data() + rest_end);
            rest_end += part.size();
        }
    }

    ssize_t further() {
        while (rest_begin < rest_end) {
            iovec vector{.iov_base = rest.data() + rest_begin, .iov_len = rest_end - rest_begin};
            ssize_t sent = socket.try_send({&vector, 1}, flags);
            if (sent < 0) {
                return sent;
            }
            rest_begin += static_cast<size_t>(sent);
            handed += static_cast<size_t>(sent);
        }
        return 0;
    }

    [[nodiscard]] auto slot() const { return socket.watched_slot(); }
};

inline runtime::IoAttempt<ConnectAttempt> Socket::connected(core::Instant deadline) {
    return {*reactor_, ConnectAttempt{*this}, deadline};
}

inline runtime::IoAttempt<ReceiveAttempt> Socket::receive(ReadBuffer& buffer, core::Instant deadline) {
    return {*reactor_, ReceiveAttempt{*this, buffer}, deadline};
}

template <size_t Count>
runtime::IoAttempt<SendAttempt<Count>> Socket::send(
    BufferPool& pool,
    const std::array<std::string_view, Count>& parts,
    core::Instant deadline,
    int flags
) {
    static_assert(Count <= kPartsMax);
    return {*reactor_, SendAttempt<Count>{*this, pool, parts, flags}, deadline};
}

template <size_t Count>
runtime::IoAttempt<SendAttempt<Count>> Socket::send_from(
    ReadBuffer& source,
    size_t consumed,
    BufferPool& pool,
    const std::array<std::string_view, Count>& parts,
    core::Instant deadline,
    SendOptions options
) {
    SendAttempt<Count> attempt{*this, pool, parts, options.flags};
    attempt.source = &source;
    attempt.consumed = consumed;
    attempt.limit = options.limit;
    return {*reactor_, std::move(attempt), deadline};
}

inline runtime::IoAttempt<SendAttempt<1>> Socket::send(
    BufferPool& pool,
    std::string_view bytes,
    core::Instant deadline,
    int flags
) {
    return send(pool, std::array{bytes}, deadline, flags);
}

}  // namespace net
