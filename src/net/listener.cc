#include "net/listener.h"

#include <netinet/tcp.h>

#include <utility>

namespace net {

namespace {

struct SocketOption {
    int level;
    int option;
    int value;
};

core::Result<void> set_options(runtime::Os& os, int fd, const Address& address, Listener::Options options) {
    constexpr int kDeferSeconds = 1;  // then it is accepted without bytes, and its time-outs run
    auto set = [&](SocketOption wanted) -> core::Result<void> {
        if (int status = os.set_option(fd, wanted.level, wanted.option, wanted.value); status < 0) {
            return core::fail(core::Error::of_errno(-status, "listening on " + address.to_string()));
        }
        return {};
    };
    if (address.family() == AF_UNIX) {
        return {};
    }
    TRY_VOID(set({SOL_SOCKET, SO_REUSEADDR, 1}));
    // Accepted sockets inherit this one: no call a connection.
    TRY_VOID(set({IPPROTO_TCP, TCP_NODELAY, 1}));
    if (address.family() == AF_INET6) {
        TRY_VOID(set({IPPROTO_IPV6, IPV6_V6ONLY, 0}));
    }
    if (options.is_shared) {
        TRY_VOID(set({SOL_SOCKET, SO_REUSEPORT, 1}));
    }
    if (options.awaits_first_bytes) {
        TRY_VOID(set({IPPROTO_TCP, TCP_DEFER_ACCEPT, kDeferSeconds}));
    }
    return {};
}

}  // namespace

core::Result<void> Listener::check_free(runtime::Reactor& reactor, const Address& address) {
    if (address.port() == 0) {
        return {};
    }
    runtime::Os& os = reactor.os();
    std::string operation = "listening on " + address.to_string();
    int fd = os.open_socket(address.family());
    if (fd < 0) {
        return core::fail(core::Error::of_errno(-fd, operation));
    }
    Socket socket(reactor, fd);
    TRY_VOID(set_options(os, fd, address, {}));
    sockaddr_storage storage;
    socklen_t length = address.fill(storage);
    if (int status = os.bind(fd, reinterpret_cast<const sockaddr*>(&storage), length); status < 0) {
        return core::fail(core::Error::of_errno(-status, operation));
    }
    return {};
}

core::Result<Listener> Listener::open(runtime::Reactor& reactor, const Address& address, Options options) {
    runtime::Os& os = reactor.os();
    std::string operation = "listening on " + address.to_string();
    int fd = os.open_socket(address.family());
    if (fd < 0) {
        return core::fail(core::Error::of_errno(-fd, operation));
    }
    Socket socket(reactor, fd);
    TRY_VOID(set_options(os, fd, address, options));
    sockaddr_storage storage;
    socklen_t length = address.fill(storage);
    if (int status = os.bind(fd, reinterpret_cast<const sockaddr*>(&storage), length); status < 0) {
        return core::fail(core::Error::of_errno(-status, operation));
    }
    if (int status = os.listen(fd, options.backlog); status < 0) {
        return core::fail(core::Error::of_errno(-status, operation));
    }
    if (address.family() == AF_UNIX) {
        return Listener(std::move(socket), address);
    }
    if (int status = os.local_address(fd, storage); status < 0) {
        return core::fail(core::Error::of_errno(-status, operation));
    }
    return Listener(std::move(socket), Address::of_sockaddr(storage));
}

ssize_t Listener::try_accept(sockaddr_storage& peer) {
    auto slot = socket_.watched_slot();
    if (!slot) {
        return -slot.error();
    }
    if (((*slot)->readiness & runtime::kReadable) == 0) {
        return -EAGAIN;
    }
    for (;;) {
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

}  // namespace net
