// Addresses as people write them and as the system knows them.
#include "net/address.h"

#include <arpa/inet.h>

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace net {
namespace {

struct Parsed {
    std::string_view text;
    int family;
    uint16_t port;
    std::string_view written;  // to_string()
    std::string_view host;     // host_string()
};

constexpr Parsed kAddresses[] = {
    {"127.0.0.1:9001", AF_INET, 9001, "127.0.0.1:9001", "127.0.0.1"},
    {"0.0.0.0:1", AF_INET, 1, "0.0.0.0:1", "0.0.0.0"},
    {"255.255.255.255:65535", AF_INET, 65535, "255.255.255.255:65535", "255.255.255.255"},
    {"[::1]:80", AF_INET6, 80, "[::1]:80", "::1"},
    {"[2001:DB8::0:1]:8443", AF_INET6, 8443, "[2001:db8::1]:8443", "2001:db8::1"},
    {"[::ffff:10.0.0.1]:80", AF_INET6, 80, "[::ffff:10.0.0.1]:80", "::ffff:10.0.0.1"},
    {"*:80", AF_INET6, 80, "[::]:80", "::"},
};

constexpr std::string_view kNoAddresses[] = {
    "",
    ":",
    ":80",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1:99999999999999999999",
    "127.0.0.1:-1",
    "127.0.0.1:+80",
    "127.0.0.1: 80",
    "127.0.0.1 :80",
    " 127.0.0.1:80",
    "127.0.0.1:80 ",
    "127.0.0.1:80x",
    "127.0.0.1:0x50",
    "127.0.0.1:http",
    "127.0.0:80",
    "127.0.0.256:80",
    "127.0.0.1.1:80",
    "127.1:80",
    "0127.0.0.1:80",
    "localhost:80",
    "foobar.com:80",
    "::1:80",  // an IPv6 address without its brackets
    "2001:db8::1:443",
    "[::1]",
    "[::1]80",
    "[::1",
    "::1]:80",
    "[]:80",
    "[:80",
    "[127.0.0.1]:80",
    "[*]:80",
    "[::1%lo]:80",
    "[::g]:80",
    "**:80",
    "unix:/tmp/socket",
    "/tmp/socket",
    std::string_view("127.0.0.1\0:80", 13),
    std::string_view("127.0.0.1\0.example:80", 21),
    std::string_view("127.0.0.1:80\0", 13),
    std::string_view("[::1\0]:80", 9),
    std::string_view("*\0:80", 5),
};

TEST_CASE("every written form of an address is read") {
    for (const Parsed& row : kAddresses) {
        CAPTURE(row.text);
        core::Result<Address> address = Address::parse(row.text);
        REQUIRE(address);
        CHECK(address->family() == row.family);
        CHECK(address->port() == row.port);
        CHECK(address->to_string() == row.written);
        CHECK(address->host_string() == row.host);
    }
}

TEST_CASE("what is no address is refused, and the message names it") {
    for (std::string_view text : kNoAddresses) {
        CAPTURE(text);
        core::Result<Address> address = Address::parse(text);
        REQUIRE_FALSE(address);
        CHECK(address.error().kind() == core::ErrorKind::invalid);
        CHECK_FALSE(address.error().context().empty());
    }
}

TEST_CASE("a host without a port is read alone") {
    core::Result<Address> four = Address::parse_host("10.1.2.3");
    REQUIRE(four);
    CHECK(four->family() == AF_INET);
    CHECK(four->port() == 0);
    CHECK(four->bytes() == std::array<uint8_t, 16>{10, 1, 2, 3});
    core::Result<Address> six = Address::parse_host("fd00::102");
    REQUIRE(six);
    CHECK(six->family() == AF_INET6);
    CHECK(six->bytes() == std::array<uint8_t, 16>{0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2});
    for (std::string_view text : {
             std::string_view(""),
             std::string_view("10.1.2.3:80"),
             std::string_view("[::1]"),
             std::string_view("10.1.2.3/8"),
             std::string_view("10.1.2.3 "),
             std::string_view("*"),
             std::string_view("host"),
             std::string_view("10.1.2.3\0", 9),
             std::string_view("::1\0x", 5),
         }) {
        CAPTURE(text);
        CHECK_FALSE(Address::parse_host(text));
    }
}

TEST_CASE("an address survives the way through sockaddr") {
    for (const Parsed& row : kAddresses) {
        CAPTURE(row.text);
        Address address = *Address::parse(row.text);
        sockaddr_storage storage;
        std::memset(&storage, 0xAB, sizeof storage);
        socklen_t length = address.fill(storage);
        CHECK(length == (row.family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6)));
        CHECK(storage.ss_family == row.family);
        bool is_mapped = row.text.starts_with("[::ffff:");
        if (!is_mapped) {
            CHECK(Address::of_sockaddr(storage) == address);
        }
    }
}

TEST_CASE("an IPv4 client of a dual-stack socket is an IPv4 address") {
    sockaddr_storage storage;
    Address::parse("[::ffff:10.0.0.1]:4711")->fill(storage);
    Address client = Address::of_sockaddr(storage);
    CHECK(client.family() == AF_INET);
    CHECK(client.to_string() == "10.0.0.1:4711");
    CHECK(client == *Address::parse("10.0.0.1:4711"));
    CHECK(client.bytes() == Address::parse_host("10.0.0.1")->bytes());
}

TEST_CASE("addresses are equal when all of them is equal") {
    Address address = *Address::parse("10.0.0.1:80");
    CHECK(address == *Address::parse("10.0.0.1:80"));
    CHECK(address != *Address::parse("10.0.0.1:81"));
    CHECK(address != *Address::parse("10.0.0.2:80"));
    CHECK(*Address::of_unix_path("/a") != *Address::of_unix_path("/b"));
}

TEST_CASE("a unix socket is its path, up to what sockaddr_un holds") {
    Address address = *Address::of_unix_path("/run/trilith/lb1.sock");
    CHECK(address.family() == AF_UNIX);
    CHECK(address.to_string() == "unix:/run/trilith/lb1.sock");
    sockaddr_storage storage;
    socklen_t length = address.fill(storage);
    sockaddr_un local;
    std::memcpy(&local, &storage, sizeof local);
    CHECK(local.sun_family == AF_UNIX);
    CHECK(std::string_view(local.sun_path) == "/run/trilith/lb1.sock");
    CHECK(length == offsetof(sockaddr_un, sun_path) + 22);

    std::string longest(107, 'p');
    core::Result<Address> whole = Address::of_unix_path(longest);
    REQUIRE(whole);
    whole->fill(storage);
    std::memcpy(&local, &storage, sizeof local);
    CHECK(std::string_view(local.sun_path) == longest);
    CHECK(Address::of_unix_path(longest + "p").error().kind() == core::ErrorKind::too_large);
    CHECK_FALSE(Address::of_unix_path(""));
    CHECK(Address::of_unix_path({"/run/a\0b", 8}).error().kind() == core::ErrorKind::invalid);
}

TEST_CASE("an address made from nothing is 0.0.0.0:0") { CHECK(Address().to_string() == "0.0.0.0:0"); }

}  // namespace
}  // namespace net
