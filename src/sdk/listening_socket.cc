#include "sdk/listening_socket.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "http/text.h"

namespace trilith::sdk {

namespace {

constexpr int kBacklog = 4096;

core::Result<ListeningSocket> inherit_one(runtime::Os& os, int fd) {
    std::string operation = "taking over descriptor " + std::to_string(fd);
    int listens = 0;
    socklen_t length = sizeof listens;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0) {
        return core::fail(core::Error::of_errno(errno, operation));
    }
    if (listens == 0) {
        return core::fail(core::ErrorKind::invalid, operation + ": it is a socket that does not listen");
    }
    int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        return core::fail(core::Error::of_errno(errno, operation));
    }
    // Accepted sockets inherit this one. A unix socket has no such option, and needs none.
    [[maybe_unused]] int status = os.set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    sockaddr_storage storage{};
    if (int named = os.local_address(fd, storage); named < 0) {
        return core::fail(core::Error::of_errno(-named, operation));
    }
    return ListeningSocket(os, fd, Origin::inherited, net::Address::of_sockaddr(storage));
}

}  // namespace

ListeningSocket::~ListeningSocket() {
    if (fd_ >= 0) {
        os_->close(fd_);
    }
}

core::Result<ListeningSocket> ListeningSocket::open(runtime::Os& os, const net::Address& address) {
    auto fail = [&](int status) {
        return core::fail(core::Error::of_errno(-status, "listening on " + address.to_string()));
    };
    int fd = os.open_socket(address.family());
    if (fd < 0) {
        return fail(fd);
    }
    ListeningSocket socket(os, fd, Origin::own, address);
    sockaddr_storage storage{};
    socklen_t length = address.fill(storage);
    int status = os.set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    status = status < 0 ? status : os.set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    status = status < 0 ? status : os.bind(fd, reinterpret_cast<const sockaddr*>(&storage), length);
    status = status < 0 ? status : os.listen(fd, kBacklog);
    status = status < 0 ? status : os.local_address(fd, storage);
    if (status < 0) {
        return fail(status);
    }
    socket.address_ = net::Address::of_sockaddr(storage);
    return socket;
}

core::Result<std::vector<ListeningSocket>> ListeningSocket::inherit(
    runtime::Os& os,
    std::string_view listen_fds,
    std::string_view listen_pid,
    int first_descriptor
) {
    uint64_t pid = 0;
    uint64_t count = 0;
    std::vector<ListeningSocket> sockets;
    bool is_for_us = http::parse_decimal(listen_pid, pid) && pid == static_cast<uint64_t>(::getpid());
    if (!is_for_us || !http::parse_decimal(listen_fds, count)) {
        return sockets;
    }
    if (count > kListeningSocketsMax) {
        return core::fail(core::ErrorKind::too_large, "LISTEN_FDS: more than 16 sockets");
    }
    for (int at = 0; at < static_cast<int>(count); ++at) {
        TRY(ListeningSocket socket, inherit_one(os, first_descriptor + at));
        sockets.push_back(std::move(socket));
    }
    return sockets;
}

core::Result<int> ListeningSocket::duplicate() const {
    int fd = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        return core::fail(core::Error::of_errno(errno, "listening on " + address_.to_string()));
    }
    return fd;
}

ssize_t Acceptor::try_accept() {
    auto slot = socket_.watched_slot();
    if (!slot) {
        return -slot.error();
    }
    if (((*slot)->readiness & runtime::kReadable) == 0) {
        return -EAGAIN;
    }
    for (;;) {
        sockaddr_storage peer;
        int fd = socket_.reactor().os().accept(socket_.fd(), peer);
        if (fd == -EAGAIN) {
            (*slot)->readiness &= ~static_cast<uint32_t>(runtime::kReadable);
        }
        // A connection that died in the queue is not the listener's failure (accept(2), "Error handling").
        if (fd == -ECONNABORTED || fd == -EINTR || fd == -EPROTO || fd == -ENETDOWN || fd == -EHOSTUNREACH) {
            continue;
        }
        return fd;
    }
}

}  // namespace trilith::sdk
