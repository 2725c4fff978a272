#include "sdk/percent.h"

#include "http/text.h"

namespace trilith::sdk {

char* decode_percent(std::string_view text, Plus plus, char* target) {
    constexpr uint8_t kNoDigit = 255;
    for (size_t at = 0; at < text.size(); ++at) {
        char byte = text[at];
        if (byte == '+' && plus == Plus::space) {
            byte = ' ';
        } else if (byte == '%' && at + 2 < text.size()) {
            uint8_t high = http::hex_value(text[at + 1]);
            uint8_t low = http::hex_value(text[at + 2]);
            if (high != kNoDigit && low != kNoDigit) {
                byte = static_cast<char>(high << 4 | low);
                at += 2;
            }
        }
        *target++ = byte;
    }
    return target;
}

}  // namespace trilith::sdk
