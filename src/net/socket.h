// A connected stream socket on one reactor: bytes in, bytes out, each wait with a deadline.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <string_view>

#include "core/result.h"
#include "net/address.h"
#include "net/buffer_pool.h"
#include "net/read_buffer.h"
#include "runtime/io_waiter.h"
#include "runtime/reactor.h"

namespace net {

struct ConnectAttempt;
struct ReceiveAttempt;
template <size_t Count>
struct SendAttempt;

struct SendOptions {
    core::Instant limit = core::Instant::never();  // of a send to a slow peer, whatever its progress
    int flags = 0;                                 // MSG_MORE: the end of the stream follows at once and travels with these bytes
};

enum class Peek : uint8_t { quiet, has_bytes, ended, broken };

class Socket {
public:
    // Owns `fd`, a non-blocking socket. It is watched by the reactor only when a call must wait for the first time: many
    // short connections never do.
    Socket(runtime::Reactor& reactor, int fd) : reactor_(&reactor), fd_(fd) {}

    Socket(Socket&& other) noexcept
        : reactor_(other.reactor_),
          fd_(std::exchange(other.fd_, -1)),
          slot_(std::exchange(other.slot_, kUnwatched)),
          is_connecting_(other.is_connecting_),
          is_drained_(other.is_drained_) {}

    Socket& operator=(Socket&& other) noexcept;

    // Closes. No task may be waiting on it.
    ~Socket() { close(); }

    // Begins a connection to `address`; errors that show at once are returned, others come from the first send or receive.
    // TCP_NODELAY is set.
    [[nodiscard]] static core::Result<Socket> connect(runtime::Reactor& reactor, const Address& address);

    // Awaits the end of connect(): 0, or -errno (-ETIMEDOUT at the deadline).
    [[nodiscard]] runtime::IoAttempt<ConnectAttempt> connected(core::Instant deadline);

    // Awaits bytes behind those in `buffer`. Gives how many came; 0 at the end of the stream; or -errno, -ETIMEDOUT, -ECANCELED.
    [[nodiscard]] runtime::IoAttempt<ReceiveAttempt> receive(ReadBuffer& buffer, core::Instant deadline);

    // Awaits that all of `parts` (at most kPartsMax, their bytes at most BufferPool::kLargest in all) is sent. What the socket does
    // not take at once is copied before suspending, so the parts need to stay valid only for the call. `flags`: 0 or MSG_MORE.
    // Gives 0 or -errno, -ETIMEDOUT, -ECANCELED; after an error it is not known what the peer got.
    template <size_t Count>
    [[nodiscard]] runtime::IoAttempt<SendAttempt<Count>> send(
        BufferPool& pool,
        const std::array<std::string_view, Count>& parts,
        core::Instant deadline,
        int flags = 0
    );

    [[nodiscard]] runtime::IoAttempt<SendAttempt<1>> send(
        BufferPool& pool,
        std::string_view bytes,
        core::Instant deadline,
        int flags = 0
    );

    // The same for parts that lie in `source`: its first `consumed` bytes are used up as soon as they are sent or copied, which is
    // before the task suspends. A peer that takes bytes slowly gets the time until `deadline` again and again, up to
    // options.limit.
    template <size_t Count>
    [[nodiscard]] runtime::IoAttempt<SendAttempt<Count>> send_from(
        ReadBuffer& source,
        size_t consumed,
        BufferPool& pool,
        const std::array<std::string_view, Count>& parts,
        core::Instant deadline,
        SendOptions options = {}
    );

    // One attempt, without waiting: >= 0, or -errno; -EAGAIN when nothing can be done now.
    [[nodiscard]] ssize_t try_receive(std::span<char> target);
    [[nodiscard]] ssize_t try_send(std::span<const iovec> parts, int flags);
    // Moves up to `count` bytes from this socket into a pipe, or from a pipe into this socket.
    [[nodiscard]] ssize_t try_splice_to_pipe(int pipe, size_t count);
    [[nodiscard]] ssize_t try_splice_from_pipe(int pipe, size_t count);

    // True when the reactor has seen the peer's end of the stream, or its failure.
    [[nodiscard]] bool has_hung_up() const {
        return slot_ != kUnwatched && (reactor_->slot(slot_).readiness & (runtime::kHangup | runtime::kFailed)) != 0;
    }

    [[nodiscard]] bool is_watched() const { return slot_ != kUnwatched; }

    // Whether the peer has sent anything, or ended, since the last receive; asks the system, reads nothing.
    [[nodiscard]] Peek peek();
    // The same from what the reactor knows already, without a system call: false when bytes or an end are known to be there.
    [[nodiscard]] bool is_quiet() const;

    // Ends our direction; the peer sees the end of the stream after all that was sent.
    void shutdown_write() { reactor_->os().shutdown_write(fd_); }

    // Makes close() send RST and drop what is unsent.
    void reset_on_close();
    void close();

    [[nodiscard]] bool is_open() const { return fd_ >= 0; }

    [[nodiscard]] int fd() const { return fd_; }

    [[nodiscard]] runtime::Reactor& reactor() const { return *reactor_; }

    // The slot that waits register with, watching the descriptor first if need be; or a positive errno.
    [[nodiscard]] std::expected<runtime::IoSlot*, int> watched_slot();

    static constexpr size_t kPartsMax = 8;

private:
    friend struct ConnectAttempt;
    friend struct ReceiveAttempt;

    static constexpr uint32_t kUnwatched = UINT32_MAX;

    [[nodiscard]] bool may_be_ready(uint32_t bits) const;
    void note_exhausted(uint32_t bit);

    runtime::Reactor* reactor_;
    int fd_ = -1;
    uint32_t slot_ = kUnwatched;
    bool is_connecting_ = false;
    bool is_drained_ = false;  // unwatched, and the last receive took all there was
};

// While it lives, the peer's hanging up interrupts the fiber's wait for something else. What the peer had ended before does not
// count: a client may close its direction behind its request and still want the answer. One a socket at a time.
class HangupGuard {
public:
    HangupGuard(Socket& socket, runtime::Fiber& fiber) : watch_{.fiber = fiber} {
        Peek state = socket.is_watched() && !socket.has_hung_up() ? Peek::quiet : socket.peek();
        auto slot = socket.watched_slot();
        watch_.has_fired = state == Peek::broken;
        if (slot && state != Peek::ended && state != Peek::broken) {
            slot_ = *slot;
            slot_->on_hangup = &watch_;
        }
    }

    ~HangupGuard() {
        if (slot_ != nullptr) {
            slot_->on_hangup = nullptr;
        }
    }

    HangupGuard(const HangupGuard&) = delete;
    HangupGuard& operator=(const HangupGuard&) = delete;

    // True when the peer has hung up while this lived, or when its connection was broken (reset) before: look before you wait.
    [[nodiscard]] bool has_fired() const { return watch_.has_fired; }

private:
    runtime::HangupWatch watch_;
    runtime::IoSlot* slot_ = nullptr;
};

// Whether a peer takes what it was sent, since the last look.
class SendProgress {
public:
    [[nodiscard]] bool has_moved(Socket& socket) {
        int64_t now = socket.reactor().os().unacknowledged(socket.fd());
        bool has_moved = now >= 0 && now < last_;
        last_ = now;
        return has_moved;
    }

private:
    int64_t last_ = 0;
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
    ReadBuffer* source = nullptr;  // where the parts lie
    core::Instant limit = core::Instant::never();  // whatever the progress
    size_t consumed = 0;           // bytes of it that are used up by the first attempt
    Buffer rest{};
    size_t rest_begin = 0;
    size_t rest_end = 0;
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
        bool is_whole = taken == total;
        if (!is_whole) {
            keep_rest(taken, total);
        }
        if (source != nullptr) {
            source->consume(consumed);
        }
        return is_whole ? 0 : -EAGAIN;
    }

    [[nodiscard]] bool has_progressed() { return progress.has_moved(socket); }

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
        }
        return 0;
    }

    [[nodiscard]] auto slot() const { return socket.watched_slot(); }
};

inline runtime::IoAttempt<ConnectAttempt> Socket::connected(core::Instant deadline) {
    return {*reactor_, ConnectAttempt{*this}, deadline};
}

inline runtime::IoAttempt<ReceiveAttempt> Socket::receive(
    ReadBuffer& buffer,
    core::Instant deadline
) {
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

// The error of a receive, send or connect that gave `result` < 0: "operation PEER: reason".
[[nodiscard]] core::Error error_of(ssize_t result, std::string_view operation);

}  // namespace net
