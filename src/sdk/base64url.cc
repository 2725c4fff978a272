#include "sdk/base64url.h"

#include <cstdint>

namespace trilith::sdk {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string encode_base64url(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    uint32_t held = 0;
    unsigned bits = 0;
    for (char byte : bytes) {
        held = held << 8 | static_cast<unsigned char>(byte);
        for (bits += 8; bits >= 6; bits -= 6) {
            text += kAlphabet[held >> (bits - 6) & 63];
        }
    }
    if (bits > 0) {
        text += kAlphabet[held << (6 - bits) & 63];
    }
    return text;
}

std::optional<std::string> decode_base64url(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    uint32_t held = 0;
    unsigned bits = 0;
    for (char digit : text) {
        size_t value = kAlphabet.find(digit);
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        held = held << 6 | static_cast<uint32_t>(value);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>(held >> bits & 255);
        }
    }
    // A digit that gives no byte, or bits behind the last byte that are not zero.
    bool is_canonical = bits < 6 && (held & ((1U << bits) - 1)) == 0;
    return is_canonical ? std::optional(std::move(bytes)) : std::nullopt;
}

}  // namespace trilith::sdk
