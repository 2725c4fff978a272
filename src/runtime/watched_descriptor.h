// A pipe, a channel or a process as a reactor waits for it: what is no socket of a peer, and so not of
// net::Socket.
#pragma once

#include <sys/types.h>

#include <cerrno>
#include <cstdint>
#include <expected>
#include <span>

#include "runtime/descriptor.h"
#include "runtime/io_waiter.h"
#include "runtime/process.h"
#include "runtime/reactor.h"

namespace runtime {

class WatchedDescriptor {
public:
    // `descriptor` is non-blocking, and nobody else's: only its close ends the watch.
    WatchedDescriptor(Reactor& reactor, Descriptor descriptor)
        : reactor_(reactor), descriptor_(std::move(descriptor)) {}

    WatchedDescriptor(const WatchedDescriptor&) = delete;
    WatchedDescriptor& operator=(const WatchedDescriptor&) = delete;

    // No task may be waiting on it.
    ~WatchedDescriptor() { close(); }

    // Awaits bytes: how many came; 0 at the end; or -errno, -ETIMEDOUT, -ECANCELED. `target` stays valid
    // until it ends.
    [[nodiscard]] auto read(std::span<char> target, core::Instant deadline);

    // Awaits the end of the child `pid`, of which this is the pidfd, and reaps it: `pid`, with its wait
    // status in `status`; or -errno, -ETIMEDOUT, -ECANCELED.
    [[nodiscard]] auto reaped(pid_t pid, int& status, core::Instant deadline);

    void close() {
        if (slot_ != kUnwatched) {
            reactor_.unwatch(slot_);
            slot_ = kUnwatched;
        }
        descriptor_.close();
    }

    [[nodiscard]] int get() const { return descriptor_.get(); }

    [[nodiscard]] Reactor& reactor() const { return reactor_; }

    // The slot that waits register with, watching the descriptor first if need be; or a positive errno.
    [[nodiscard]] std::expected<IoSlot*, int> watched_slot() {
        if (slot_ == kUnwatched) {
            int64_t slot = reactor_.watch(descriptor_.get());
            if (slot < 0) {
                return std::unexpected(static_cast<int>(-slot));
            }
            slot_ = static_cast<uint32_t>(slot);
        }
        return &reactor_.slot(slot_);
    }

private:
    static constexpr uint32_t kUnwatched = UINT32_MAX;

    Reactor& reactor_;
    Descriptor descriptor_;
    uint32_t slot_ = kUnwatched;
};

// The attempts that tasks wait with; see IoAttempt. They ask the system each time: these descriptors are few.
struct ReadAttempt {
    static constexpr Direction kDirection = Direction::read;

    WatchedDescriptor& source;
    std::span<char> target;

    ssize_t operator()() const { return read_some(source.get(), target); }

    [[nodiscard]] auto slot() const { return source.watched_slot(); }
};

struct ReapAttempt {
    static constexpr Direction kDirection = Direction::read;

    WatchedDescriptor& process;
    pid_t pid;
    int& status;

    ssize_t operator()() const { return try_reap(pid, status); }

    [[nodiscard]] auto slot() const { return process.watched_slot(); }
};

inline auto WatchedDescriptor::read(std::span<char> target, core::Instant deadline) {
    return IoAttempt(reactor_, ReadAttempt{*this, target}, deadline);
}

inline auto WatchedDescriptor::reaped(pid_t pid, int& status, core::Instant deadline) {
    return IoAttempt(reactor_, ReapAttempt{*this, pid, status}, deadline);
}

}  // namespace runtime
