// The socket on which one instance is reached. The supervisor opens it and keeps it while the program comes
// and goes, so that connections wait in its queue and none is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "net/address.h"
#include "runtime/descriptor.h"
#include "runtime/os.h"

namespace app {

// Connections that wait for the program, at most; the system's bound is net.core.somaxconn.
inline constexpr int kBacklog = 4096;

// Which unix socket: DIRECTORY/app-SERVER-SLOT.GENERATION.sock.
struct SocketPlace {
    std::string directory;
    std::string server;
    size_t slot = 1;
    uint64_t generation = 1;

    [[nodiscard]] std::string path() const;
};

class ListeningSocket {
public:
    // Mode 0600 from its first moment, and ours: the program inherits it and needs no right to connect.
    // A socket of that name on which nobody listens is removed first; conflict: somebody
    // does, or it is no socket.
    [[nodiscard]] static core::Result<ListeningSocket> open_unix(runtime::Os& os, const SocketPlace& place);

    // On a free port of `host`.
    [[nodiscard]] static core::Result<ListeningSocket> open_tcp(runtime::Os& os, const net::Address& host);

    ListeningSocket(ListeningSocket&& other) noexcept = default;
    ListeningSocket& operator=(ListeningSocket&&) = delete;

    // Closes, and removes the unix socket. What waits in the queue is refused by the system.
    ~ListeningSocket();

    // Close-on-exec. Call before each start of the program: the mode is the socket's, and a program before
    // may have made it non-blocking, which the next may not expect.
    [[nodiscard]] int prepared() const;

    [[nodiscard]] const net::Address& address() const { return address_; }

private:
    ListeningSocket(runtime::Descriptor socket, net::Address address, std::string path)
        : socket_(std::move(socket)), address_(std::move(address)), path_(std::move(path)) {}

    runtime::Descriptor socket_;
    net::Address address_;
    std::string path_;  // of a unix socket
};

// A port of `host` that is free now, for a program that opens it itself: somebody may be faster.
[[nodiscard]] core::Result<net::Address> find_free_port(runtime::Os& os, const net::Address& host);

// Removes the sockets of `server` in `directory` on which nobody listens: what a killed process left.
void remove_stale_sockets(runtime::Os& os, const std::string& directory, const std::string& server);

// Whether `file_name` is one that SocketPlace::path() gives for `server`.
[[nodiscard]] bool is_socket_name(std::string_view file_name, std::string_view server);

}  // namespace app
