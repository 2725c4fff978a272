// The real operating system: Linux with epoll. See os.h for the contracts.
#pragma once

#include "runtime/os.h"

namespace runtime {

// Tests replace single calls of it.
class LinuxOs : public Os {
public:
    core::Instant now() override;
    core::WallTime wall_time() override;
    void fill_random(std::span<std::byte> target) override;

    int open_poll() override;
    int watch(int poll, int fd, uint64_t tag) override;
    int watch_writing(int poll, int fd, uint64_t tag) override;
    int wait(int poll, std::span<PollEvent> events, core::Duration timeout) override;

    int open_timer() override;
    void arm_timer(int fd, core::Instant when) override;

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
    int64_t unacknowledged(int fd) override;
    int shutdown_write(int fd) override;
    void close(int fd) override;

    int open_pipe(int (&ends)[2], int capacity) override;
    ssize_t splice(int source, int target, size_t count) override;

    ssize_t send_file(int socket, int file, uint64_t offset, size_t count) override;
};

}  // namespace runtime
