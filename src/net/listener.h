// A listening socket of one reactor. Several reactors listen on one address with SO_REUSEPORT, so that none
// shares a queue.
#pragma once

#include "core/result.h"
#include "net/address.h"
#include "net/socket.h"
#include "runtime/io_waiter.h"

namespace net {

class Listener {
public:
    struct Options {
        bool is_shared = false;           // SO_REUSEPORT: other reactors of ours listen on the same address
        bool awaits_first_bytes = false;  // TCP_DEFER_ACCEPT: a connection is accepted when its first bytes
                                          // are there
        int backlog = 4096;
    };

    // Errors: conflict (occupied port), permission (a port below 1024), and the message names the address.
    [[nodiscard]] static core::Result<Listener> open(
        runtime::Reactor& reactor,
        const Address& address,
        Options options
    );

    // Whether the address can be bound by somebody who shares it with nobody: conflict or permission if not.
    // SO_REUSEPORT would let two processes of one user listen side by side unnoticed. Port 0 and unix sockets
    // are always free.
    [[nodiscard]] static core::Result<void> check_free(runtime::Reactor& reactor, const Address& address);

    // Awaits a connection: a descriptor >= 0 (the caller owns it; `peer` is filled), or -errno: -EMFILE and
    // its like when descriptors are exhausted, -ECANCELED when the fiber is stopped.
    [[nodiscard]] auto accept(sockaddr_storage& peer);

    // What is bound, with the port that the system chose for port 0.
    [[nodiscard]] const Address& address() const { return address_; }

    [[nodiscard]] ssize_t try_accept(sockaddr_storage& peer);
    [[nodiscard]] auto watched_slot() { return socket_.watched_slot(); }

    // Stops listening. Connections that wait in the queue and were not accepted are refused by the system.
    void close() { socket_.close(); }

private:
    Listener(Socket socket, Address address) : socket_(std::move(socket)), address_(std::move(address)) {}

    Socket socket_;
    Address address_;
};

struct AcceptAttempt {
    static constexpr runtime::Direction kDirection = runtime::Direction::read;

    Listener& listener;
    sockaddr_storage& peer;

    ssize_t operator()() { return listener.try_accept(peer); }

    [[nodiscard]] auto slot() const { return listener.watched_slot(); }
};

inline auto Listener::accept(sockaddr_storage& peer) {
    return runtime::IoAttempt(socket_.reactor(), AcceptAttempt{*this, peer}, core::Instant::never());
}

}  // namespace net
