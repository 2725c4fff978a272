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
    int flags = 0;  // MSG_MORE: the end of the stream follows at once and travels with these bytes
};

enum class Peek : uint8_t { quiet, has_bytes, ended, broken };

class Socket {
public:
    // Owns `fd`, a non-blocking socket. It is watched by the reactor only when a call must wait for the first
    // time: many short connections never do.
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

    // Begins a connection to `address`, from `source` (port 0) where that is given and of the same family;
    // errors that show at once are returned, others come from the first send or receive. TCP_NODELAY is set.
    [[nodiscard]] static core::Result<Socket> connect(
        runtime::Reactor& reactor,
        const Address& address,
        const std::optional<Address>& source = std::nullopt
    );

    // Awaits the end of connect(): 0, or -errno (-ETIMEDOUT at the deadline).
    [[nodiscard]] runtime::IoAttempt<ConnectAttempt> connected(core::Instant deadline);

    // Awaits bytes behind those in `buffer`. Gives how many came; 0 at the end of the stream; or -errno,
    // -ETIMEDOUT, -ECANCELED.
    [[nodiscard]] runtime::IoAttempt<ReceiveAttempt> receive(ReadBuffer& buffer, core::Instant deadline);

    // Awaits that all of `parts` (at most kPartsMax, their bytes at most BufferPool::kLargest in all) is
    // sent. What the socket does not take at once is copied before suspending, so the parts need to stay
    // valid only for the call. `flags`: 0 or MSG_MORE. Gives 0 or -errno, -ETIMEDOUT, -ECANCELED; after an
    // error it is not known what the peer got.
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

    // The same for parts that lie in `source`: its first `consumed` bytes are used up as soon as they are
    // sent or copied, which is before the task suspends. A peer that takes bytes slowly gets the time until
    // `deadline` again and again, up to options.limit.
    template <size_t Count>
    [[nodiscard]] runtime::IoAttempt<SendAttempt<Count>> send_from(
        ReadBuffer& source,
        size_t consumed,
        BufferPool& pool,
        const std::array<std::string_view, Count>& parts,
        core::Instant deadline,
        SendOptions options = {}
    );

    // False: the last attempt to send found no room, and nothing has been heard of since.
    [[nodiscard]] bool may_be_writable() const { return may_be_ready(runtime::kWritable); }

    // One attempt, without waiting: >= 0, or -errno; -EAGAIN when nothing can be done now.
    [[nodiscard]] ssize_t try_receive(std::span<char> target);
    [[nodiscard]] ssize_t try_send(std::span<const iovec> parts, int flags);
    // Moves up to `count` bytes from this socket into a pipe, or from a pipe into this socket.
    [[nodiscard]] ssize_t try_splice_to_pipe(int pipe, size_t count);
    [[nodiscard]] ssize_t try_splice_from_pipe(int pipe, size_t count);
    // Moves up to `count` bytes of a file, from `offset` on, into this socket; 0 at the file's end.
    [[nodiscard]] ssize_t try_send_file(int file, uint64_t offset, size_t count);

    // True when the reactor has seen the peer's end of the stream, or its failure.
    [[nodiscard]] bool has_hung_up() const {
        return slot_ != kUnwatched &&
               (reactor_->slot(slot_).readiness & (runtime::kHangup | runtime::kFailed)) != 0;
    }

    [[nodiscard]] bool is_watched() const { return slot_ != kUnwatched; }

    // Whether the peer has sent anything, or ended, since the last receive; asks the system, reads nothing.
    [[nodiscard]] Peek peek();
    // The same from what the reactor knows already, without a system call: false when bytes or an end are
    // known to be there.
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

// The error of a receive, send or connect that gave `result` < 0: "operation PEER: reason".
[[nodiscard]] core::Error error_of(ssize_t result, std::string_view operation);

}  // namespace net

#include "net/socket_attempts.h"  // what the templates above are made of
