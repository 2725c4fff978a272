// Who listens at a port is named as /proc has it.
#include "node/serve/port_holder.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <format>

#include <doctest/doctest.h>

#include "runtime/descriptor.h"

namespace node {

namespace {

// A listening socket at this host, at a port of the system's choice.
struct Occupied {
    explicit Occupied(const char* host) : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        auto parsed = net::Address::parse_host(host);
        REQUIRE(parsed.has_value());
        sockaddr_storage storage;
        socklen_t length = parsed->fill(storage);
        REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) == 0);
        REQUIRE(::listen(socket.get(), 1) == 0);
        length = sizeof storage;
        REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &length) == 0);
        address = net::Address::of_sockaddr(storage);
    }

    runtime::Descriptor socket;
    net::Address address;
};

}  // namespace

TEST_CASE("the process that listens at an address is named, also where it listens at all of them") {
    std::string self = std::format("process {} (", ::getpid());
    Occupied one("127.0.0.1");
    CHECK(port_holder(one.address).contains(self));
    CHECK(port_cure(one.address).contains(self));
    Occupied all("0.0.0.0");
    auto narrow = net::Address::parse(std::format("127.0.0.1:{}", all.address.port()));
    REQUIRE(narrow.has_value());
    CHECK(port_holder(*narrow).contains(self));
}

TEST_CASE("nobody is named for a port that is free, or taken at another address") {
    Occupied one("127.0.0.1");
    auto other = net::Address::parse(std::format("127.0.0.2:{}", one.address.port()));
    REQUIRE(other.has_value());
    CHECK(port_holder(*other) == "");
    one.socket.close();
    CHECK(port_holder(one.address) == "");
    CHECK(port_cure(one.address).contains("ss -ltnp"));
}

}  // namespace node
