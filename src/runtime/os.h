// The operating system as the reactor sees it: clocks, entropy, readiness and sockets, at the level of system
// calls. Production runs on linux_os; tests run the same program on an in-memory network with virtual time
// (test/sim/sim_os). Calls that return int or ssize_t give a value >= 0, or -errno. No call blocks but
// wait().
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/units.h"

namespace runtime {

// What happened to a descriptor, as bits of PollEvent::readiness.
enum Readiness : uint32_t {
    kReadable = 1,
    kWritable = 2,
    kHangup = 4,  // the peer will send nothing more (FIN), or the connection is gone
    kFailed = 8,  // an error is pending (SO_ERROR)
};

struct PollEvent {
    uint64_t tag;  // as given to watch()
    uint32_t readiness;
};

class Os {
public:
    virtual ~Os() = default;

    [[nodiscard]] virtual core::Instant now() = 0;
    [[nodiscard]] virtual core::WallTime wall_time() = 0;
    // Fills `target` with unpredictable bytes (in simulation: seeded ones).
    virtual void fill_random(std::span<std::byte> target) = 0;

    // Any number, as unpredictable as those bytes.
    [[nodiscard]] uint64_t random_number() {
        uint64_t number = 0;
        fill_random(std::as_writable_bytes(std::span(&number, 1)));
        return number;
    }

    // A readiness set, one a reactor.
    [[nodiscard]] virtual int open_poll() = 0;
    // Watches `fd` edge-triggered for reading and hang-up until it is closed. What is ready already is
    // reported.
    [[nodiscard]] virtual int watch(int poll, int fd, uint64_t tag) = 0;
    // Watches a watched descriptor for writing, too, from now on, with the tag that it has. Only who waits
    // for room asks for it: a unix socket says that it can be written each time its peer has read.
    [[nodiscard]] virtual int watch_writing(int poll, int fd, uint64_t tag) = 0;
    // Waits for events, at most `timeout` (negative: no bound; zero: takes what is there). Returns how many
    // were filled.
    [[nodiscard]] virtual int wait(int poll, std::span<PollEvent> events, core::Duration timeout) = 0;

    // A descriptor that becomes readable at the instant it was armed for last, to be watched by a readiness
    // set. Arming costs a system call and a write to the processor's timer, so a reactor does it rarely; see
    // Reactor::turn().
    [[nodiscard]] virtual int open_timer() = 0;
    virtual void arm_timer(int fd, core::Instant when) = 0;

    // A descriptor that another thread makes readable with wake(); clear_wake() makes it silent again.
    [[nodiscard]] virtual int open_wake() = 0;
    virtual void wake(int fd) = 0;
    virtual void clear_wake(int fd) = 0;

    // Sockets are stream sockets, non-blocking and close-on-exec.
    [[nodiscard]] virtual int open_socket(int family) = 0;
    [[nodiscard]] virtual int set_option(int fd, int level, int option, int value) = 0;
    [[nodiscard]] virtual int bind(int fd, const sockaddr* address, socklen_t length) = 0;
    [[nodiscard]] virtual int listen(int fd, int backlog) = 0;
    // The new descriptor; fills `peer`.
    [[nodiscard]] virtual int accept(int fd, sockaddr_storage& peer) = 0;
    // 0, or -EINPROGRESS: then writability or failure tells the end, and pending_error() the result.
    [[nodiscard]] virtual int connect(int fd, const sockaddr* address, socklen_t length) = 0;
    // Takes SO_ERROR off the socket: 0 or a positive errno.
    [[nodiscard]] virtual int pending_error(int fd) = 0;
    [[nodiscard]] virtual int local_address(int fd, sockaddr_storage& address) = 0;

    // 0 at the end of the stream; -EAGAIN when nothing is there.
    [[nodiscard]] virtual ssize_t receive(int fd, std::span<char> target) = 0;
    // As receive(), but leaves the bytes where they are.
    [[nodiscard]] virtual ssize_t peek(int fd, std::span<char> target) = 0;
    // close() will send RST and drop what is unsent.
    virtual void reset_on_close(int fd) = 0;
    // May take only a part. `flags`: 0 or MSG_MORE. Never raises SIGPIPE.
    [[nodiscard]] virtual ssize_t send(int fd, std::span<const iovec> parts, int flags) = 0;
    // Bytes that were sent and that the peer has not acknowledged.
    [[nodiscard]] virtual int64_t unacknowledged(int fd) = 0;
    // Ends our direction of the stream (FIN).
    virtual int shutdown_write(int fd) = 0;
    virtual void close(int fd) = 0;

    // Moving bytes between a socket and a pipe without copying (splice(2)); -ENOSYS where there is no such
    // thing.
    [[nodiscard]] virtual int open_pipe(int (&ends)[2], int capacity) = 0;
    [[nodiscard]] virtual ssize_t splice(int source, int target, size_t count) = 0;

    // Sends up to `count` bytes of a file from `offset` on, not copying them, by sendfile(2); 0 at its end.
    [[nodiscard]] virtual ssize_t send_file(int socket, int file, uint64_t offset, size_t count) = 0;
};

}  // namespace runtime
