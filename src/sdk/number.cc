// Numbers with a fraction, as path and query give them. libc++ 19 has no from_chars for double.
#include <trilith/app.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "http/text.h"

namespace trilith::detail {

namespace {

constexpr size_t kDigitsMax = 63;

size_t skip_digits(std::string_view text, size_t at) {
    while (at < text.size() && http::is_of(text[at], http::kDigitByte)) {
        ++at;
    }
    return at;
}

// JSON's grammar (RFC 8259 section 6) with leading zeros: what strtod would take beyond it (hexadecimal,
// "inf", white space) is none.
bool is_number(std::string_view text) {
    size_t begin = text.starts_with('-') ? 1 : 0;
    size_t at = skip_digits(text, begin);
    if (at == begin) {
        return false;
    }
    if (at < text.size() && text[at] == '.') {
        size_t fraction = at + 1;
        at = skip_digits(text, fraction);
        if (at == fraction) {
            return false;
        }
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        size_t exponent = at + 1;
        exponent += exponent < text.size() && (text[exponent] == '-' || text[exponent] == '+') ? 1 : 0;
        at = skip_digits(text, exponent);
        if (at == exponent) {
            return false;
        }
    }
    return at == text.size();
}

}  // namespace

bool read_value(std::string_view text, double& value) {
    if (text.size() > kDigitsMax || !is_number(text)) {
        return false;
    }
    // strtod reads by the program's locale, whose point need not be a point: the digits alone are given to
    // it, and the place of the point as an exponent.
    std::array<char, kDigitsMax * 2> plain{};
    char* end = plain.data();
    long exponent = 0;
    bool is_fraction = false;
    size_t at = 0;
    for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
        if (text[at] == '.') {
            is_fraction = true;
        } else {
            *end++ = text[at];
            exponent -= is_fraction ? 1 : 0;
        }
    }
    if (at < text.size()) {
        std::string_view written = text.substr(at + 1);
        written.remove_prefix(written.starts_with('+') ? 1 : 0);
        int32_t shift = 0;
        if (!read_value(written, shift) || std::abs(shift) > 1000) {
            return false;
        }
        exponent += shift;
    }
    *end++ = 'e';
    end = std::to_chars(end, plain.data() + plain.size() - 1, exponent).ptr;
    *end = '\0';
    double read = std::strtod(plain.data(), nullptr);
    if (!std::isfinite(read)) {
        return false;
    }
    value = read;
    return true;
}

}  // namespace trilith::detail
