// Who is blocked for how long after failed logins, and who is not.
#include "sql/login_guard.h"

#include <string>

#include <doctest/doctest.h>

namespace sql {
namespace {

using namespace std::chrono_literals;

net::Address address_of(const std::string& host) {
    auto address = net::Address::parse_host(host);
    REQUIRE(address);
    return *address;
}

constexpr core::Instant at(core::Duration since_start) { return {since_start}; }

TEST_CASE("an address is blocked after its failures, until the minute of the first is over") {
    LoginGuard guard(3);
    net::Address client = address_of("10.0.0.1");
    guard.note_failure(client, at(10s));
    guard.note_failure(client, at(20s));
    CHECK_FALSE(guard.is_blocked(client, at(20s)));
    guard.note_failure(client, at(30s));
    CHECK(guard.is_blocked(client, at(30s)));
    CHECK(guard.is_blocked(client, at(69s)));
    CHECK_FALSE(guard.is_blocked(client, at(70s)));
    guard.note_failure(client, at(71s));
    CHECK_FALSE(guard.is_blocked(client, at(71s)));
}

TEST_CASE("one address does not block another") {
    LoginGuard guard(1);
    guard.note_failure(address_of("10.0.0.1"), at(1s));
    CHECK(guard.is_blocked(address_of("10.0.0.1"), at(1s)));
    CHECK_FALSE(guard.is_blocked(address_of("10.0.0.2"), at(1s)));
}

TEST_CASE("clients of unix sockets, which have no address, are not blocked for each other") {
    LoginGuard guard(1);
    auto unix_client = net::Address::of_unix_path("/run/x");
    REQUIRE(unix_client);
    guard.note_failure(*unix_client, at(1s));
    CHECK_FALSE(guard.is_blocked(*unix_client, at(1s)));
}

TEST_CASE("a flood of addresses does not make it grow, and the young ones of before are forgotten") {
    LoginGuard guard(1);
    guard.note_failure(address_of("192.0.2.1"), at(1s));
    for (size_t number = 0; number < LoginGuard::kAddressesMax; ++number) {
        guard.note_failure(
            address_of("10.0." + std::to_string(number / 250) + "." + std::to_string(number % 250)),
            at(2s)
        );
    }
    CHECK_FALSE(guard.is_blocked(address_of("192.0.2.1"), at(2s)));
}

}  // namespace
}  // namespace sql
