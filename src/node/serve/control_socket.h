// The socket on which a server takes orders: opened for its user alone, and removed with the process.
#pragma once

#include <string>

#include "core/result.h"
#include "net/listener.h"
#include "runtime/reactor.h"

namespace node {

// A listener at `path`, 0600. Whoever holds the server's lock may remove one that a dead process left.
[[nodiscard]] core::Result<net::Listener> open_control_socket(
    runtime::Reactor& reactor,
    const std::string& path
);

// Removes the control socket at the end, also of a start that failed. A server that was root cannot; whoever
// finds nobody behind it takes it for gone.
class SocketFile {
public:
    explicit SocketFile(std::string path);
    ~SocketFile();
    SocketFile(const SocketFile&) = delete;
    SocketFile& operator=(const SocketFile&) = delete;

private:
    std::string path_;
};

}  // namespace node
