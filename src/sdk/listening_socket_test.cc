// Sockets by systemd's convention: those meant for this process are taken over, nothing else is.
#include "sdk/listening_socket.h"

#include <fcntl.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "runtime/linux_os.h"

namespace trilith::sdk {
namespace {

net::Address loopback() { return *net::Address::parse_host("127.0.0.1"); }

TEST_CASE("a socket that was handed over is taken") {
    runtime::LinuxOs os;
    std::string pid = std::to_string(::getpid());
    ListeningSocket parent = *ListeningSocket::open(os, loopback());
    int handed = *parent.duplicate();
    REQUIRE(::fcntl(handed, F_SETFL, 0) == 0);  // blocking, as many hand it over
    auto sockets = ListeningSocket::inherit(os, "1", pid, handed);
    REQUIRE(sockets.has_value());
    REQUIRE(sockets->size() == 1);
    CHECK(sockets->front().address() == parent.address());
    CHECK(sockets->front().origin() == Origin::inherited);
    CHECK((::fcntl(handed, F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(handed, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("what is not for this process is left alone") {
    runtime::LinuxOs os;
    std::string pid = std::to_string(::getpid());
    CHECK(ListeningSocket::inherit(os, "1", "1", 3)->empty());
    CHECK(ListeningSocket::inherit(os, "", "", 3)->empty());
    CHECK(ListeningSocket::inherit(os, "1", "", 3)->empty());
    CHECK(ListeningSocket::inherit(os, "0", pid, 3)->empty());
    CHECK(ListeningSocket::inherit(os, "x", pid, 3)->empty());
}

TEST_CASE("what does not listen is refused") {
    runtime::LinuxOs os;
    std::string pid = std::to_string(::getpid());
    int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    int socket = os.open_socket(AF_INET);
    CHECK_FALSE(ListeningSocket::inherit(os, "1", pid, file).has_value());
    CHECK_FALSE(ListeningSocket::inherit(os, "1", pid, socket).has_value());
    CHECK_FALSE(ListeningSocket::inherit(os, "17", pid, 3).has_value());
    os.close(file);
    os.close(socket);
}

TEST_CASE("an occupied port is told") {
    runtime::LinuxOs os;
    ListeningSocket first = *ListeningSocket::open(os, loopback());
    auto second = ListeningSocket::open(os, first.address());
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().kind() == core::ErrorKind::conflict);
}

}  // namespace
}  // namespace trilith::sdk
