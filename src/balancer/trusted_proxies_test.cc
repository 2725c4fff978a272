// Whose forwarded headers are believed: exact addresses and networks, of the family they were written in.
#include "balancer/trusted_proxies.h"

#include <sys/socket.h>

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace balancer {
namespace {

TrustedProxies trusting(const std::vector<std::string>& entries) {
    auto proxies = TrustedProxies::parse(entries);
    REQUIRE(proxies);
    return std::move(*proxies);
}

bool trusts(const TrustedProxies& proxies, std::string_view address) {
    return proxies.contains(*net::Address::parse_host(address));
}

TEST_CASE("nobody is trusted by default") {
    TrustedProxies none = trusting({});
    CHECK_FALSE(trusts(none, "127.0.0.1"));
    CHECK_FALSE(trusts(none, "::1"));
    CHECK_FALSE(trusts(TrustedProxies(), "127.0.0.1"));
}

TEST_CASE("an entry trusts its network and nothing beside it") {
    struct Case {
        std::string_view entry;
        std::vector<std::string_view> inside;
        std::vector<std::string_view> outside;
    };
    const Case cases[] = {
        {"10.0.0.1", {"10.0.0.1"}, {"10.0.0.0", "10.0.0.2", "11.0.0.1", "::1"}},
        {"10.0.0.1/32", {"10.0.0.1"}, {"10.0.0.0", "10.0.0.3"}},
        {"10.0.0.0/8", {"10.0.0.0", "10.255.255.255"}, {"9.255.255.255", "11.0.0.0"}},
        {"10.1.2.3/8", {"10.200.0.1"}, {"11.1.2.3"}},  // the bits behind the mask do not count
        {"192.168.16.0/20", {"192.168.16.0", "192.168.31.255"}, {"192.168.15.255", "192.168.32.0"}},
        {"192.168.1.128/25", {"192.168.1.128", "192.168.1.255"}, {"192.168.1.127"}},
        {"128.0.0.0/1", {"128.0.0.0", "255.255.255.255"}, {"127.255.255.255", "ffff::"}},
        {"0.0.0.0/0", {"0.0.0.0", "255.255.255.255"}, {"::", "::1"}},
        {"::/0", {"::", "ffff::1"}, {"0.0.0.0", "10.0.0.1"}},
        {"fd00::/8", {"fd00::", "fdff:ffff::1"}, {"fc00::1", "fe00::"}},
        {"2001:db8::/33", {"2001:db8:7fff::1"}, {"2001:db8:8000::", "2001:db7:ffff::"}},
        {"::1/128", {"::1"}, {"::", "::2", "0.0.0.1"}},
        {"::1", {"::1"}, {"::2"}},
    };
    for (const Case& row : cases) {
        CAPTURE(row.entry);
        TrustedProxies proxies = trusting({std::string(row.entry)});
        for (std::string_view address : row.inside) {
            CAPTURE(address);
            CHECK(trusts(proxies, address));
        }
        for (std::string_view address : row.outside) {
            CAPTURE(address);
            CHECK_FALSE(trusts(proxies, address));
        }
    }
}

TEST_CASE("any of several entries is enough") {
    TrustedProxies proxies = trusting({"10.0.0.0/8", "::1", "192.168.0.7"});
    CHECK(trusts(proxies, "10.9.9.9"));
    CHECK(trusts(proxies, "::1"));
    CHECK(trusts(proxies, "192.168.0.7"));
    CHECK_FALSE(trusts(proxies, "192.168.0.8"));
    CHECK(proxies.contains(AF_INET, {10, 1, 1, 1}));
    CHECK_FALSE(proxies.contains(AF_INET6, {10, 1, 1, 1}));
}

TEST_CASE("a wrong entry is refused and named") {
    for (std::string_view entry :
         {"",
          "/",
          "/8",
          "10.0.0.0/",
          "10.0.0.0/33",
          "10.0.0.0/-1",
          "10.0.0.0/+8",
          "10.0.0.0/8x",
          "10.0.0.0/8/8",
          "10.0.0.0/ 8",
          "10.0.0/8",
          "::/129",
          "::1/",
          "fd00::/8 ",
          "proxy.foobar.com",
          "10.0.0.1:80",
          "[::1]",
          "*"}) {
        CAPTURE(entry);
        auto proxies = TrustedProxies::parse({"10.0.0.1", std::string(entry)});
        REQUIRE_FALSE(proxies);
        CHECK(proxies.error().kind() == core::ErrorKind::invalid);
        std::string_view address = entry.substr(0, entry.find('/'));
        CHECK(proxies.error().context().find(address) != std::string::npos);
    }
}

}  // namespace
}  // namespace balancer
