#include "core/json_text.h"

#include <cstdint>

#include "core/utf8.h"

namespace core {

namespace {

constexpr char kHex[] = "0123456789abcdef";

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
        if (size_t length = utf8_sequence_length(text.substr(at)); length > 1) {
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
