#include "core/json_text.h"

#include <cstdint>

namespace core {

namespace {

constexpr char kHex[] = "0123456789abcdef";

// The length of the UTF-8 sequence that begins `text` (RFC 3629), or 0 where there is none.
size_t utf8_sequence_length(std::string_view text) {
    auto byte = [&](size_t at) { return static_cast<uint8_t>(text[at]); };
    auto continues = [&](size_t at, uint8_t low = 0x80, uint8_t high = 0xBF) {
        return at < text.size() && byte(at) >= low && byte(at) <= high;
    };
    uint8_t lead = byte(0);
    if (lead >= 0xC2 && lead <= 0xDF) {
        return continues(1) ? 2 : 0;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        uint8_t low = lead == 0xE0 ? 0xA0 : 0x80;
        uint8_t high = lead == 0xED ? 0x9F : 0xBF;
        return continues(1, low, high) && continues(2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        uint8_t low = lead == 0xF0 ? 0x90 : 0x80;
        uint8_t high = lead == 0xF4 ? 0x8F : 0xBF;
        return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

void append_escape(std::string& target, char character) {
    switch (character) {
        case '"': target += "\\\""; return;
        case '\\': target += "\\\\"; return;
        case '\n': target += "\\n"; return;
        case '\r': target += "\\r"; return;
        case '\t': target += "\\t"; return;
        default: break;
    }
    auto byte = static_cast<uint8_t>(character);
    target += "\\u00";
    target += kHex[byte >> 4];
    target += kHex[byte & 15];
}

bool is_plain(char character) {
    return character >= 0x20 && character < 0x7F && character != '"' && character != '\\';
}

}  // namespace

void append_json_string(std::string& target, std::string_view text) {
    target += '"';
    size_t at = 0;
    while (at < text.size()) {
        size_t run = at;
        while (run < text.size() && is_plain(text[run])) {
            ++run;
        }
        target.append(text.substr(at, run - at));
        if (run == text.size()) {
            break;
        }
        at = run;
        if (size_t length = utf8_sequence_length(text.substr(at)); length > 0) {
            target.append(text.substr(at, length));
            at += length;
        } else {
            append_escape(target, text[at]);
            ++at;
        }
    }
    target += '"';
}

}  // namespace core
