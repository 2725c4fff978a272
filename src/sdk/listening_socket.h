// The sockets that a program listens on: inherited ones (LISTEN_FDS), or one of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "net/address.h"
#include "net/socket.h"
#include "runtime/io_waiter.h"
#include "runtime/os.h"

namespace trilith::sdk {

inline constexpr size_t kListeningSocketsMax = 16;

enum class Origin : uint8_t { own, inherited };

// Owns a descriptor that listens. Shared by the threads, each of which accepts from a duplicate.
class ListeningSocket {
public:
    ListeningSocket(runtime::Os& os, int fd, Origin origin, net::Address address)
        : os_(&os), fd_(fd), origin_(origin), address_(std::move(address)) {}

    ListeningSocket(ListeningSocket&& other) noexcept
        : os_(other.os_),
          fd_(std::exchange(other.fd_, -1)),
          origin_(other.origin_),
          address_(other.address_) {}

    ListeningSocket& operator=(ListeningSocket&&) = delete;
    ~ListeningSocket();

    // Binds and listens; conflict for an occupied port.
    [[nodiscard]] static core::Result<ListeningSocket> open(runtime::Os& os, const net::Address& address);

    // What a supervisor handed over by systemd's convention (sd_listen_fds(3)): LISTEN_FDS descriptors from 3
    // on, if LISTEN_PID is ours. Empty where there is none; refuses what does not listen, and more than
    // kListeningSocketsMax.
    [[nodiscard]] static core::Result<std::vector<ListeningSocket>> inherit(
        runtime::Os& os,
        std::string_view listen_fds,
        std::string_view listen_pid,
        int first_descriptor = 3
    );

    [[nodiscard]] core::Result<int> duplicate() const;

    [[nodiscard]] Origin origin() const { return origin_; }

    [[nodiscard]] const net::Address& address() const { return address_; }

private:
    runtime::Os* os_;
    int fd_;
    Origin origin_;
    net::Address address_;
};

// One thread's hold of a listening socket. A connection wakes all threads, and one of them gets it.
class Acceptor {
public:
    Acceptor(runtime::Reactor& reactor, int fd, Origin origin) : socket_(reactor, fd), origin_(origin) {}

    // A descriptor, which the caller owns, or -errno: -EAGAIN when none waits.
    [[nodiscard]] ssize_t try_accept();

    // Awaits one: -ECANCELED when the fiber is stopped, -EMFILE and its like when descriptors are used up.
    [[nodiscard]] auto accept();

    [[nodiscard]] bool is_inherited() const { return origin_ == Origin::inherited; }

    [[nodiscard]] auto watched_slot() { return socket_.watched_slot(); }

private:
    net::Socket socket_;
    Origin origin_;
};

struct AcceptAttempt {
    static constexpr runtime::Direction kDirection = runtime::Direction::read;

    Acceptor& acceptor;

    ssize_t operator()() { return acceptor.try_accept(); }

    [[nodiscard]] auto slot() const { return acceptor.watched_slot(); }
};

inline auto Acceptor::accept() {
    return runtime::IoAttempt(socket_.reactor(), AcceptAttempt{*this}, core::Instant::never());
}

}  // namespace trilith::sdk
