#include "app/listening_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <format>
#include <utility>

#include "runtime/process.h"

namespace app {

using core::Error;
using core::ErrorKind;
using core::fail;
using runtime::Descriptor;

namespace {

core::Result<Descriptor> open_socket(runtime::Os& os, int family, const std::string& operation) {
    int fd = os.open_socket(family);
    if (fd < 0) {
        return fail(Error::of_errno(-fd, operation));
    }
    Descriptor socket = runtime::above_standard(Descriptor(fd));
    if (!socket.is_open()) {
        return fail(Error::of_errno(errno, operation));
    }
    return socket;
}

// 0 or -errno.
int bind_to(runtime::Os& os, int fd, const net::Address& address) {
    sockaddr_storage storage;
    socklen_t length = address.fill(storage);
    return os.bind(fd, reinterpret_cast<const sockaddr*>(&storage), length);
}

// A connection shows whether anybody listens; a full queue is somebody too.
bool is_listened_on(runtime::Os& os, const net::Address& address) {
    Descriptor socket(os.open_socket(AF_UNIX));
    sockaddr_storage storage;
    socklen_t length = address.fill(storage);
    int status = os.connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length);
    return status != -ECONNREFUSED && status != -ENOENT;
}

core::Result<void> clear_place(runtime::Os& os, const std::string& path, const net::Address& address) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) < 0) {
        return {};
    }
    if (!S_ISSOCK(found.st_mode)) {
        return fail(ErrorKind::conflict, std::format("{} is in the way and is no socket: remove it", path));
    }
    if (is_listened_on(os, address)) {
        return fail(ErrorKind::conflict, std::format("somebody listens on {} already", path));
    }
    if (::unlink(path.c_str()) < 0) {
        return fail(Error::of_errno(errno, "removing " + path));
    }
    return {};
}

core::Result<Descriptor> bind_port(runtime::Os& os, net::Address& address) {
    std::string operation = "opening a port on " + address.host_string();
    TRY(Descriptor socket, open_socket(os, address.family(), operation));
    sockaddr_storage bound;
    int status = os.set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    status = status < 0 ? status : bind_to(os, socket.get(), address);
    status = status < 0 ? status : os.local_address(socket.get(), bound);
    if (status < 0) {
        return fail(Error::of_errno(-status, operation));
    }
    address = net::Address::of_sockaddr(bound);
    return socket;
}

// `host` with port 0.
core::Result<net::Address> any_port_of(const net::Address& host) {
    return net::Address::parse_host(host.host_string());
}

}  // namespace

std::string SocketPlace::path() const {
    return std::format("{}/app-{}-{}.{}.sock", directory, server, slot, generation);
}

core::Result<ListeningSocket> ListeningSocket::open_unix(runtime::Os& os, const SocketPlace& place) {
    std::string path = place.path();
    std::string operation = "listening on " + path;
    TRY(net::Address address, net::Address::of_unix_path(path));
    TRY_VOID(clear_place(os, path, address));
    TRY(Descriptor socket, open_socket(os, AF_UNIX, operation));
    // Before bind(): Linux gives the file the mode that the socket has, so nobody else may connect ever, and
    // the umask, which all threads share, stays as it is.
    if (::fchmod(socket.get(), 0600) < 0) {
        return fail(Error::of_errno(errno, operation));
    }
    if (int status = bind_to(os, socket.get(), address); status < 0) {
        return fail(Error::of_errno(-status, operation));
    }
    ListeningSocket listening(std::move(socket), std::move(address), path);
    if (int status = os.listen(listening.socket_.get(), kBacklog); status < 0) {
        return fail(Error::of_errno(-status, operation));
    }
    return listening;
}

core::Result<ListeningSocket> ListeningSocket::open_tcp(runtime::Os& os, const net::Address& host) {
    TRY(net::Address address, any_port_of(host));
    TRY(Descriptor socket, bind_port(os, address));
    if (int status = os.listen(socket.get(), kBacklog); status < 0) {
        return fail(Error::of_errno(-status, "listening on " + address.to_string()));
    }
    return ListeningSocket(std::move(socket), std::move(address), "");
}

ListeningSocket::~ListeningSocket() {
    if (socket_.is_open() && !path_.empty()) {
        ::unlink(path_.c_str());
    }
}

int ListeningSocket::prepared() const {
    int flags = ::fcntl(socket_.get(), F_GETFL);
    ::fcntl(socket_.get(), F_SETFL, flags & ~O_NONBLOCK);
    return socket_.get();
}

core::Result<net::Address> find_free_port(runtime::Os& os, const net::Address& host) {
    TRY(net::Address address, any_port_of(host));
    TRY([[maybe_unused]] Descriptor socket, bind_port(os, address));
    return address;
}

bool is_socket_name(std::string_view file_name, std::string_view server) {
    auto take = [&](std::string_view start) {
        bool has_it = file_name.starts_with(start);
        file_name.remove_prefix(has_it ? start.size() : 0);
        return has_it;
    };
    auto take_digits = [&] {
        size_t count = std::min(file_name.find_first_not_of("0123456789"), file_name.size());
        file_name.remove_prefix(count);
        return count > 0;
    };
    return take("app-") && take(server) && take("-") && take_digits() && take(".") && take_digits() &&
           file_name == ".sock";
}

void remove_stale_sockets(runtime::Os& os, const std::string& directory, const std::string& server) {
    std::error_code failed;
    for (std::filesystem::directory_iterator entry(directory, failed), end; !failed && entry != end;
         entry.increment(failed)) {
        std::string path = entry->path().string();
        auto address = net::Address::of_unix_path(path);
        if (!address || !is_socket_name(entry->path().filename().string(), server)) {
            continue;
        }
        // What cannot be removed is told when its place is needed.
        [[maybe_unused]] auto cleared = clear_place(os, path, *address);
    }
}

}  // namespace app
