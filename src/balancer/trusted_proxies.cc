#include "balancer/trusted_proxies.h"

#include <algorithm>
#include <charconv>

namespace balancer {

namespace {

bool has_prefix(
    const std::array<uint8_t, 16>& address,
    const std::array<uint8_t, 16>& network,
    unsigned bits
) {
    unsigned whole = bits / 8;
    if (!std::equal(address.begin(), address.begin() + whole, network.begin())) {
        return false;
    }
    unsigned rest = bits % 8;
    if (rest == 0) {
        return true;
    }
    auto mask = static_cast<uint8_t>(0xFF << (8 - rest));
    return (address[whole] & mask) == (network[whole] & mask);
}

}  // namespace

core::Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& entries) {
    TrustedProxies proxies;
    for (const std::string& entry : entries) {
        size_t slash = entry.find('/');
        TRY(net::Address address, net::Address::parse_host(std::string_view(entry).substr(0, slash)));
        unsigned most = address.family() == AF_INET ? 32 : 128;
        unsigned bits = most;
        if (slash != std::string::npos) {
            const char* end = entry.data() + entry.size();
            auto [stop, status] = std::from_chars(entry.data() + slash + 1, end, bits);
            if (status != std::errc{} || stop != end || bits > most) {
                return core::fail(
                    core::ErrorKind::invalid,
                    "\"" + entry + "\" is not ADDRESS/BITS with 0 to " + std::to_string(most) + " bits"
                );
            }
        }
        proxies.networks_.push_back({.family = address.family(), .bits = bits, .bytes = address.bytes()});
    }
    return proxies;
}

bool TrustedProxies::contains(int family, const std::array<uint8_t, 16>& bytes) const {
    return std::ranges::any_of(networks_, [&](const Network& network) {
        return network.family == family && has_prefix(bytes, network.bytes, network.bits);
    });
}

}  // namespace balancer
