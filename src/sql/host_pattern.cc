#include "sql/host_pattern.h"

#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace sql {

namespace {

constexpr char kAny = '%';
constexpr char kOne = '_';
constexpr char kEscape = '\\';
constexpr uint64_t kHostMax = 255;  // HOSTNAME_LENGTH

enum class Case : uint8_t { regarded, disregarded };

char folded(char byte, Case letters) {
    bool is_upper = letters == Case::disregarded && byte >= 'A' && byte <= 'Z';
    return is_upper ? static_cast<char>(byte + ('a' - 'A')) : byte;
}

// Backtracks to the last % only, which is enough: time is at most the product of both lengths.
bool matches(std::string_view pattern, std::string_view text, Case letters) {
    size_t at = 0;
    size_t in_text = 0;
    size_t behind_any = std::string_view::npos;
    size_t retry_text = 0;
    while (in_text < text.size() || at < pattern.size()) {
        if (at < pattern.size() && pattern[at] == kAny) {
            behind_any = ++at;
            retry_text = in_text;
            continue;
        }
        if (at < pattern.size() && in_text < text.size()) {
            bool is_one = pattern[at] == kOne;
            size_t literal = pattern[at] == kEscape && at + 1 < pattern.size() ? at + 1 : at;
            if (is_one || folded(pattern[literal], letters) == folded(text[in_text], letters)) {
                at = literal + 1;
                ++in_text;
                continue;
            }
        }
        if (behind_any == std::string_view::npos || retry_text >= text.size()) {
            return false;
        }
        at = behind_any;
        in_text = ++retry_text;
    }
    return true;
}

// Four numbers up to 255 with dots between, at the front of `text`, which is shortened by them.
std::optional<uint32_t> take_ipv4(std::string_view& text) {
    uint32_t address = 0;
    for (int part = 0; part < 4; ++part) {
        if (part != 0) {
            if (!text.starts_with('.')) {
                return std::nullopt;
            }
            text.remove_prefix(1);
        }
        uint32_t number = 0;
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc{} || number > 255) {
            return std::nullopt;
        }
        text.remove_prefix(static_cast<size_t>(end - text.data()));
        address = address << 8 | number;
    }
    return address;
}

struct Network {
    uint32_t address = 0;
    uint32_t mask = 0;
};

std::optional<Network> read_network(std::string_view pattern) {
    std::optional<uint32_t> address = take_ipv4(pattern);
    if (!address || !pattern.starts_with('/')) {
        return std::nullopt;
    }
    pattern.remove_prefix(1);
    std::optional<uint32_t> mask = take_ipv4(pattern);
    if (!mask || *mask == 0 || !pattern.empty()) {
        return std::nullopt;
    }
    return Network{.address = *address, .mask = *mask};
}

bool is_loopback(const net::Address& address) {
    if (address.family() == AF_INET) {
        constexpr std::array<uint8_t, 4> kLoopback{127, 0, 0, 1};
        return std::equal(kLoopback.begin(), kLoopback.end(), address.bytes().begin());
    }
    return address.family() == AF_INET6 &&
           std::memcmp(address.bytes().data(), &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

}  // namespace

ClientHost client_host(const net::Address& from, LoopbackName loopback) {
    ClientHost host;
    if (from.family() != AF_UNIX) {
        host.address = from.host_string();
    }
    if (from.family() == AF_UNIX || (loopback == LoopbackName::localhost && is_loopback(from))) {
        host.name = "localhost";
    }
    return host;
}

bool host_matches(std::string_view pattern, const ClientHost& host) {
    if (pattern.empty()) {
        return true;
    }
    if (host.address) {
        if (std::optional<Network> network = read_network(pattern)) {
            std::string_view text = *host.address;
            std::optional<uint32_t> address = take_ipv4(text);
            if (address && text.empty()) {
                return (*address & network->mask) == network->address;
            }
        }
        if (matches(pattern, *host.address, Case::regarded)) {
            return true;
        }
    }
    return host.name && matches(pattern, *host.name, Case::disregarded);
}

uint64_t host_generality(std::string_view pattern) {
    if (pattern.empty()) {
        pattern = "%";
    }
    uint64_t literals = 0;
    uint64_t ones = 0;
    uint64_t anys = 0;
    uint64_t prefix = 0;
    for (size_t at = 0; at < pattern.size(); ++at) {
        bool is_wild = pattern[at] == kAny || pattern[at] == kOne;
        if (is_wild && anys == 0 && ones == 0) {
            prefix = literals;
        }
        if (pattern[at] == kAny) {
            bool is_run = at != 0 && pattern[at - 1] == kAny;
            anys += is_run ? 0 : 1;
        } else if (pattern[at] == kOne) {
            ++ones;
        } else {
            if (pattern[at] == kEscape && at + 1 < pattern.size()) {
                ++at;
            }
            ++literals;
        }
    }
    anys = std::min<uint64_t>(anys, 31);
    ones = std::min<uint64_t>(ones, 31);
    literals = std::min<uint64_t>(literals, kHostMax - ones);
    uint64_t free = anys != 0 ? kHostMax - literals - ones : 0;
    constexpr uint64_t kBase = kHostMax + 1;
    constexpr uint64_t kWildBase = 32;
    if (free > ones) {
        return (((free * 2 + 1) * kBase + anys) * kWildBase + ones) * kBase + prefix;
    }
    return (((ones * 2) * kBase + free) * kWildBase + anys) * kBase + prefix;
}

}  // namespace sql
