// Greetings of real servers, an ERR in their place, and what is refused.
#include "mysql/greeting.h"

#include <doctest/doctest.h>

#include "mysql/test_bytes.h"

namespace mysql {
namespace {

// MariaDB 10.11.19.
constexpr std::string_view kMariadb =
    "0a352e352e352d31302e31312e31392d4d6172696144422d302b646562313275312d6c6f6700060000002f762553542d225f"
    "00fef7080240ff81150000000000001d0000003c4c4865466c6e6327377b2c006d7973716c5f6e61746976655f70617373776f72"
    "6400";

Greeting greeting_of(std::string_view payload) {
    auto read = read_greeting(payload);
    REQUIRE(read.has_value());
    REQUIRE(std::holds_alternative<Greeting>(*read));
    return std::get<Greeting>(*read);
}

TEST_CASE("MariaDB's greeting is read with its extended capabilities, and written back the same") {
    const std::string payload = from_hex(kMariadb);
    const Greeting greeting = greeting_of(payload);
    CHECK(greeting.version == "5.5.5-10.11.19-MariaDB-0+deb12u1-log");
    CHECK(version_without_prefix(greeting.version) == "10.11.19-MariaDB-0+deb12u1-log");
    CHECK(version_without_prefix("8.0.36") == "8.0.36");
    CHECK(greeting.thread_id == 6);
    CHECK(view(greeting.nonce) == "/v%ST-\"_<LHeFlnc'7{,");
    CHECK(greeting.capabilities == 0x1d'81ff'f7fe);
    CHECK(greeting.collation == 8);
    CHECK(greeting.status == (kStatusAutocommit | kStatusSessionStateChanged));
    CHECK(greeting.plugin == "mysql_native_password");
    std::string text;
    PayloadWriter writer(text);
    write_greeting(writer, greeting);
    CHECK(text == packet(0, payload));
}

TEST_CASE("a MySQL server has no extended capabilities, whatever its reserved bytes hold") {
    std::string payload = from_hex(kMariadb);
    const size_t low = payload.find('\0') + 1 + 4 + 8 + 1;
    payload[low] = static_cast<char>(payload[low] | 1);
    CHECK(greeting_of(payload).capabilities == 0x81ff'f7ff);
}

TEST_CASE("a greeting cut anywhere is refused, but for the last NUL") {
    const std::string payload = from_hex(kMariadb);
    const size_t plugin = payload.size() - 22;
    for (size_t size = 0; size < plugin; ++size) {
        CAPTURE(size);
        CHECK_FALSE(read_greeting(std::string_view(payload).substr(0, size)).has_value());
    }
    CHECK(
        greeting_of(std::string_view(payload).substr(0, payload.size() - 1)).plugin == "mysql_native_password"
    );
}

TEST_CASE("an ERR in place of the greeting tells why, with SQLSTATE or without") {
    const std::string without = from_hex("ff1004") + "Too many connections";
    auto read = read_greeting(without);
    REQUIRE(read.has_value());
    REQUIRE(std::holds_alternative<ErrorPacket>(*read));
    CHECK(std::get<ErrorPacket>(*read).number == kErrorTooManyConnections);
    CHECK(std::get<ErrorPacket>(*read).message == "Too many connections");
    const std::string with = from_hex("ff6a04 23 4859303030") + "Host is not allowed";
    read = read_greeting(with);
    REQUIRE(read.has_value());
    CHECK(std::get<ErrorPacket>(*read).sqlstate == "HY000");
    CHECK_FALSE(read_greeting("\xff").has_value());
}

TEST_CASE("other protocols, servers before 4.1 and nonces of another length are told apart") {
    std::string protocol9 = from_hex(kMariadb);
    protocol9[0] = 9;
    CHECK(read_greeting(protocol9).error().kind() == core::ErrorKind::unsupported);
    const size_t low = protocol9.find('\0') + 1 + 4 + 8 + 1;
    std::string old = from_hex(kMariadb);
    old[low + 1] = static_cast<char>(old[low + 1] & ~2);
    CHECK(read_greeting(old).error().kind() == core::ErrorKind::unsupported);
    std::string nonce = from_hex(kMariadb);
    nonce[low + 7] = 33;
    CHECK(read_greeting(nonce).error().kind() == core::ErrorKind::unsupported);
}

}  // namespace
}  // namespace mysql
