#include "runtime/linux_os.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "core/panic.h"

namespace runtime {

namespace {

constexpr size_t kEventsMax = 256;

template <class T>
T or_errno(T result) {
    return result < 0 ? static_cast<T>(-errno) : result;
}

core::Duration read_clock(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

uint32_t readiness_of(uint32_t events) {
    uint32_t readiness = 0;
    if ((events & EPOLLIN) != 0) {
        readiness |= kReadable;
    }
    if ((events & EPOLLOUT) != 0) {
        readiness |= kWritable;
    }
    if ((events & (EPOLLRDHUP | EPOLLHUP)) != 0) {
        readiness |= kHangup | kReadable;
    }
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        readiness |= kFailed | kReadable | kWritable;
    }
    return readiness;
}

}  // namespace

core::Instant LinuxOs::now() { return {read_clock(CLOCK_MONOTONIC)}; }

core::WallTime LinuxOs::wall_time() { return {read_clock(CLOCK_REALTIME)}; }

void LinuxOs::fill_random(std::span<std::byte> target) {
    while (!target.empty()) {
        ssize_t filled = getrandom(target.data(), target.size(), 0);
        ASSERT(filled > 0 || errno == EINTR);
        target = target.subspan(static_cast<size_t>(std::max<ssize_t>(filled, 0)));
    }
}

int LinuxOs::open_poll() { return or_errno(epoll_create1(EPOLL_CLOEXEC)); }

int LinuxOs::watch(int poll, int fd, uint64_t tag) {
    epoll_event event{.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data = {.u64 = tag}};
    return or_errno(epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event));
}

int LinuxOs::watch_writing(int poll, int fd, uint64_t tag) {
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.u64 = tag}};
    return or_errno(epoll_ctl(poll, EPOLL_CTL_MOD, fd, &event));
}

int LinuxOs::wait(int poll, std::span<PollEvent> events, core::Duration timeout) {
    std::array<epoll_event, kEventsMax> ready;
    int room = static_cast<int>(std::min(events.size(), ready.size()));
    int count = 0;
    if (timeout < core::Duration::zero()) {
        count = epoll_wait(poll, ready.data(), room, -1);
    } else if (timeout == core::Duration::zero()) {
        count = epoll_wait(poll, ready.data(), room, 0);
    } else {
        auto seconds = std::chrono::floor<std::chrono::seconds>(timeout);
        timespec bound{.tv_sec = seconds.count(), .tv_nsec = (timeout - seconds).count()};
        count = epoll_pwait2(poll, ready.data(), room, &bound, nullptr);
    }
    if (count < 0) {
        ASSERT(errno == EINTR);
        return 0;
    }
    for (size_t at = 0; at < static_cast<size_t>(count); ++at) {
        events[at] = {.tag = ready[at].data.u64, .readiness = readiness_of(ready[at].events)};
    }
    return count;
}

int LinuxOs::open_timer() { return or_errno(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)); }

void LinuxOs::arm_timer(int fd, core::Instant when) {
    auto seconds = std::chrono::floor<std::chrono::seconds>(when.since_start);
    itimerspec setting{};
    setting.it_value = {.tv_sec = seconds.count(), .tv_nsec = (when.since_start - seconds).count()};
    [[maybe_unused]] int status = timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, nullptr);
}

int LinuxOs::open_wake() { return or_errno(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

void LinuxOs::wake(int fd) {
    uint64_t one = 1;
    // EAGAIN means that the counter is full: the reader is awake already.
    [[maybe_unused]] ssize_t written = ::write(fd, &one, sizeof one);
}

void LinuxOs::clear_wake(int fd) {
    uint64_t count = 0;
    [[maybe_unused]] ssize_t taken = ::read(fd, &count, sizeof count);
}

int LinuxOs::open_socket(int family) {
    return or_errno(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int LinuxOs::set_option(int fd, int level, int option, int value) {
    return or_errno(::setsockopt(fd, level, option, &value, sizeof value));
}

int LinuxOs::bind(int fd, const sockaddr* address, socklen_t length) {
    return or_errno(::bind(fd, address, length));
}

int LinuxOs::listen(int fd, int backlog) { return or_errno(::listen(fd, backlog)); }

int LinuxOs::accept(int fd, sockaddr_storage& peer) {
    socklen_t length = sizeof peer;
    return or_errno(::accept4(fd, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

int LinuxOs::connect(int fd, const sockaddr* address, socklen_t length) {
    return or_errno(::connect(fd, address, length));
}

int LinuxOs::pending_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

int LinuxOs::local_address(int fd, sockaddr_storage& address) {
    socklen_t length = sizeof address;
    return or_errno(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length));
}

ssize_t LinuxOs::receive(int fd, std::span<char> target) {
    return or_errno(::recv(fd, target.data(), target.size(), 0));
}

ssize_t LinuxOs::peek(int fd, std::span<char> target) {
    return or_errno(::recv(fd, target.data(), target.size(), MSG_PEEK));
}

void LinuxOs::reset_on_close(int fd) {
    linger abort{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
}

ssize_t LinuxOs::send(int fd, std::span<const iovec> parts, int flags) {
    if (parts.size() == 1) {
        return or_errno(::send(fd, parts[0].iov_base, parts[0].iov_len, flags | MSG_NOSIGNAL));
    }
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data());  // sendmsg reads it only
    message.msg_iovlen = parts.size();
    return or_errno(::sendmsg(fd, &message, flags | MSG_NOSIGNAL));
}

int64_t LinuxOs::unacknowledged(int fd) {
    int bytes = 0;
    return ::ioctl(fd, SIOCOUTQ, &bytes) < 0 ? -errno : bytes;
}

int LinuxOs::shutdown_write(int fd) { return or_errno(::shutdown(fd, SHUT_WR)); }

void LinuxOs::close(int fd) { ::close(fd); }

int LinuxOs::open_pipe(int (&ends)[2], int capacity) {
    if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) {
        return -errno;
    }
    // Where the user's pipe quota is used up, the pipe keeps its size.
    [[maybe_unused]] int granted = ::fcntl(ends[1], F_SETPIPE_SZ, capacity);
    return 0;
}

ssize_t LinuxOs::splice(int source, int target, size_t count) {
    unsigned flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
    return or_errno(::splice(source, nullptr, target, nullptr, count, flags));
}

ssize_t LinuxOs::send_file(int socket, int file, uint64_t offset, size_t count) {
    auto position = static_cast<off_t>(offset);
    return or_errno(::sendfile(socket, file, &position, count));
}

}  // namespace runtime
