// The addresses whose forwarded headers are believed: single addresses and networks (ADDRESS/BITS).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "net/address.h"

namespace balancer {

class TrustedProxies {
public:
    // Each entry "10.0.0.1", "10.0.0.0/8" or "fd00::/8"; an error names the entry.
    [[nodiscard]] static core::Result<TrustedProxies> parse(const std::vector<std::string>& entries);

    // `bytes` as in net::Address::bytes().
    [[nodiscard]] bool contains(int family, const std::array<uint8_t, 16>& bytes) const;

    [[nodiscard]] bool contains(const net::Address& address) const {
        return contains(address.family(), address.bytes());
    }

private:
    struct Network {
        int family;
        unsigned bits;
        std::array<uint8_t, 16> bytes;
    };

    std::vector<Network> networks_;
};

}  // namespace balancer
