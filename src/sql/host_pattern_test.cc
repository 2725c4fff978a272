// Hosts of accounts: which addresses they fit, and in which order.
#include "sql/host_pattern.h"

#include <string>

#include <doctest/doctest.h>

using sql::client_host;
using sql::host_generality;
using sql::host_matches;
using sql::LoopbackName;

namespace {

sql::ClientHost client_at(std::string_view address) {
    return client_host(*net::Address::parse_host(address), LoopbackName::address);
}

}  // namespace

TEST_CASE("patterns fit the addresses that the server would take") {
    struct Case {
        std::string_view pattern;
        std::string_view address;
        bool fits;
    };

    constexpr Case kCases[] = {
        {"%", "10.1.2.3", true},
        {"", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.33", false},
        {"10.1.2.33", "10.1.2.3", false},
        {"10.%", "10.1.2.3", true},
        {"10.%", "110.1.2.3", false},
        {"%.3", "10.1.2.3", true},
        {"%.3", "10.1.2.4", false},
        {"%1%2%", "10.1.2.3", true},
        {"%9%", "10.1.2.3", false},
        {"10.1.2._", "10.1.2.3", true},
        {"10.1.2._", "10.1.2.33", false},
        {"10.1.2._%", "10.1.2.33", true},
        {"10.1.2.\\_", "10.1.2.3", false},
        {"10.1.2.\\3", "10.1.2.3", true},
        {"%\\", "10.1.2.3", false},
        {"10.1.2.0/255.255.255.0", "10.1.2.200", true},
        {"10.1.2.0/255.255.255.0", "10.1.3.200", false},
        {"10.1.2.3/255.255.255.0", "10.1.2.3", false},  // the address has bits beyond the mask: fits nobody
        {"10.1.2.3/255.255.255.255", "10.1.2.3", true},
        {"0.0.0.0/0.0.0.0", "10.1.2.3", false},  // such a mask is not allowed
        {"10.1.2.0/24", "10.1.2.3", false},      // MariaDB knows no such form
        {"10.1.2.0/255.255.255.256", "10.1.2.3", false},
        {"10.1.2.0/255.255.255.0", "::1", false},
        {"fe80::%", "fe80::1", true},
        {"FE80::%", "fe80::1", false},
        {"localhost", "127.0.0.1", false},
    };
    for (const Case& expected : kCases) {
        INFO((std::string(expected.pattern) + " for " + std::string(expected.address)));
        CHECK(host_matches(expected.pattern, client_at(expected.address)) == expected.fits);
    }
}

TEST_CASE("a unix socket is localhost, in any case, and has no address") {
    sql::ClientHost host = client_host(*net::Address::of_unix_path("/s"), LoopbackName::address);
    CHECK(host_matches("localhost", host));
    CHECK(host_matches("LocalHost", host));
    CHECK(host_matches("local%", host));
    CHECK(host_matches("%", host));
    CHECK(!host_matches("127.0.0.1", host));
    CHECK(host.shown() == "localhost");
}

TEST_CASE("only 127.0.0.1 and ::1 are localhost, and only where names are resolved") {
    for (std::string_view loopback : {"127.0.0.1", "::1"}) {
        net::Address address = *net::Address::parse_host(loopback);
        CHECK(host_matches("localhost", client_host(address, LoopbackName::localhost)));
        CHECK(host_matches(loopback, client_host(address, LoopbackName::localhost)));
        CHECK(!host_matches("localhost", client_host(address, LoopbackName::address)));
    }
    for (std::string_view other : {"127.0.0.2", "10.0.0.1", "::2"}) {
        net::Address address = *net::Address::parse_host(other);
        CHECK(!host_matches("localhost", client_host(address, LoopbackName::localhost)));
    }
}

TEST_CASE("hosts stand in the server's order, the most specific first") {
    constexpr std::string_view kAscending[] = {
        "10.1.2.3",
        "10.1.2._",
        "10.1._.__",
        "10.1.2.%",
        "10.1.%",
        "10.%",
        "%1%2",
        "%",
    };
    for (size_t at_place = 0; at_place + 1 < std::size(kAscending); ++at_place) {
        INFO((std::string(kAscending[at_place]) + " before " + std::string(kAscending[at_place + 1])));
        CHECK(host_generality(kAscending[at_place]) < host_generality(kAscending[at_place + 1]));
    }
    CHECK(host_generality("10.1.2.3") == host_generality("10.1.2.0/255.255.255.0"));
    CHECK(host_generality("10.%%") == host_generality("10.%"));
    CHECK(host_generality("") == host_generality("%"));
}

TEST_CASE("a long pattern of wildcards costs no more than the product of both lengths") {
    std::string pattern;
    for (int count = 0; count < 5000; ++count) {
        pattern += "%1";
    }
    CHECK(!host_matches(pattern, client_at("111.111.111.111")));
    CHECK(host_generality(std::string(5000, '_')) > 0);
}
