// For tests: bytes as they were captured, and packets made by hand rather than by the writers under test.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mysql {

// The bytes of hexadecimal digits in pairs, lower case; spaces are passed over.
[[nodiscard]] inline std::string from_hex(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string bytes;
    size_t high = std::string_view::npos;
    for (const char digit : text) {
        if (digit == ' ') {
            continue;
        }
        const size_t value = kDigits.find(digit);
        if (high == std::string_view::npos) {
            high = value;
        } else {
            bytes += static_cast<char>(high * 16 + value);
            high = std::string_view::npos;
        }
    }
    return bytes;
}

[[nodiscard]] inline std::string packet(unsigned sequence, std::string_view payload) {
    const size_t length = payload.size();
    std::string bytes;
    bytes += static_cast<char>(length & 0xFF);
    bytes += static_cast<char>(length >> 8 & 0xFF);
    bytes += static_cast<char>(length >> 16 & 0xFF);
    bytes += static_cast<char>(sequence & 0xFF);
    bytes += payload;
    return bytes;
}

[[nodiscard]] inline std::string packet_of_hex(unsigned sequence, std::string_view payload) {
    return packet(sequence, from_hex(payload));
}

}  // namespace mysql
