// The socket of an instance: whose it is, what it takes the place of, what it leaves.
#include "app/listening_socket.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include <doctest/doctest.h>

#include "runtime/linux_os.h"

namespace app {
namespace {

struct Place {
    Place() {
        REQUIRE(::mkdtemp(directory.data()) != nullptr);
        place.directory = directory;
        place.server = "s";
    }

    ~Place() {
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }

    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    auto open() { return ListeningSocket::open_unix(os, place); }

    // A socket file on which nobody listens, as kill -9 leaves it.
    void leave_stale() {
        auto address = *net::Address::of_unix_path(place.path());
        runtime::Descriptor socket(os.open_socket(AF_UNIX));
        sockaddr_storage storage;
        socklen_t length = address.fill(storage);
        REQUIRE(os.bind(socket.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
    }

    runtime::LinuxOs os;
    std::string directory = "/tmp/tl-socket-XXXXXX";
    SocketPlace place{};
};

TEST_CASE("a unix socket is 0600 whatever the umask, and goes with its owner") {
    Place place;
    {
        auto socket = place.open();
        REQUIRE(socket);
        struct stat file{};
        REQUIRE(::stat(place.place.path().c_str(), &file) == 0);
        CHECK((file.st_mode & 07777) == 0600);
        CHECK(place.place.path() == place.directory + "/app-s-1.1.sock");
    }
    CHECK(std::filesystem::is_empty(place.directory));
}

TEST_CASE("a stale socket gives way; one with a listener, and a file, do not") {
    Place place;
    place.leave_stale();
    {
        auto socket = place.open();
        REQUIRE(socket);
        auto second = place.open();
        REQUIRE_FALSE(second);
        CHECK(second.error().kind() == core::ErrorKind::conflict);
        CHECK(std::filesystem::exists(place.place.path()));
    }
    runtime::Descriptor file(::open(place.place.path().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    auto in_the_way = place.open();
    REQUIRE_FALSE(in_the_way);
    CHECK(in_the_way.error().kind() == core::ErrorKind::conflict);
    CHECK(std::filesystem::is_regular_file(place.place.path()));
}

TEST_CASE("what a killed server left is removed, and nothing of another server or that is in use") {
    Place place;
    place.leave_stale();
    place.place.generation = 7;
    place.leave_stale();
    place.place.server = "s-1";
    place.leave_stale();
    place.place.server = "s";
    place.place.slot = 2;
    auto used = place.open();
    REQUIRE(used);
    remove_stale_sockets(place.os, place.directory, "s");
    CHECK_FALSE(std::filesystem::exists(place.directory + "/app-s-1.1.sock"));
    CHECK_FALSE(std::filesystem::exists(place.directory + "/app-s-1.7.sock"));
    CHECK(std::filesystem::exists(place.directory + "/app-s-1-1.7.sock"));
    CHECK(std::filesystem::exists(place.directory + "/app-s-2.7.sock"));
}

TEST_CASE("only the names of a server's own sockets are taken for them") {
    CHECK(is_socket_name("app-s-1.1.sock", "s"));
    CHECK(is_socket_name("app-s-1-12.345.sock", "s-1"));
    for (const char* name :
         {"app-s-1-1.1.sock", "app-t-1.1.sock", "app-s-.1.sock", "app-s-1.sock", "app-s-1.1.sockx"}) {
        CAPTURE(name);
        CHECK_FALSE(is_socket_name(name, "s"));
    }
}

TEST_CASE("what a program did to the socket's mode is undone before the next one") {
    Place place;
    auto socket = place.open();
    REQUIRE(socket);
    int fd = socket->prepared();
    CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    CHECK((::fcntl(socket->prepared(), F_GETFL) & O_NONBLOCK) == 0);
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a TCP socket and a free port are of the address that was named") {
    Place place;
    auto host = *net::Address::parse("127.0.0.1:80");
    auto socket = ListeningSocket::open_tcp(place.os, host);
    REQUIRE(socket);
    CHECK(socket->address().host_string() == "127.0.0.1");
    CHECK(socket->address().port() > 80);
    auto port = find_free_port(place.os, host);
    REQUIRE(port);
    CHECK(port->port() != 0);
    CHECK(port->port() != socket->address().port());
}

TEST_CASE("a directory whose path is too long for a socket is refused with its length") {
    Place place;
    place.place.directory = "/tmp/" + std::string(100, 'x');
    CHECK_FALSE(place.open());
}

}  // namespace
}  // namespace app
