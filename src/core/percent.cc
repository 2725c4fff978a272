// Escapes as RFC 3986 writes them.
#include "core/percent.h"

namespace core {

namespace {

constexpr uint8_t kNoDigit = 255;

uint8_t digit_of(char byte) {
    if (byte >= '0' && byte <= '9') {
        return static_cast<uint8_t>(byte - '0');
    }
    char lower = static_cast<char>(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? static_cast<uint8_t>(lower - 'a' + 10) : kNoDigit;
}

}  // namespace

char* decode_percent(std::string_view text, Plus plus, char* target) {
    for (size_t at = 0; at < text.size(); ++at) {
        char byte = text[at];
        if (byte == '+' && plus == Plus::space) {
            byte = ' ';
        } else if (byte == '%' && at + 2 < text.size()) {
            uint8_t high = digit_of(text[at + 1]);
            uint8_t low = digit_of(text[at + 2]);
            if (high != kNoDigit && low != kNoDigit) {
                byte = static_cast<char>(high << 4 | low);
                at += 2;
            }
        }
        *target++ = byte;
    }
    return target;
}

}  // namespace core
