#include "node/serve/control_socket.h"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace node {

core::Result<net::Listener> open_control_socket(runtime::Reactor& reactor, const std::string& path) {
    TRY(net::Address address, net::Address::of_unix_path(path));
    ::unlink(path.c_str());
    mode_t before = ::umask(0177);
    auto listener = net::Listener::open(reactor, address, {});
    ::umask(before);
    return listener;
}

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {}

SocketFile::~SocketFile() { ::unlink(path_.c_str()); }

}  // namespace node
