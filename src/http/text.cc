// The tables behind the character classes, and the scans that run over every byte of a head.
#include "http/text.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>

namespace http {
namespace {

consteval std::array<uint8_t, 256> make_byte_class() {
    std::array<uint8_t, 256> table{};
    const auto mark = [&table](std::string_view bytes, uint8_t classes) {
        for (const char byte : bytes) {
            table[static_cast<unsigned char>(byte)] |= classes;
        }
    };
    mark("0123456789", kTokenByte | kTargetByte | kUnreservedByte | kHostByte | kDigitByte);
    mark("abcdefghijklmnopqrstuvwxyz", kTokenByte | kTargetByte | kUnreservedByte | kHostByte);
    mark("ABCDEFGHIJKLMNOPQRSTUVWXYZ", kTokenByte | kTargetByte | kUnreservedByte | kHostByte);
    mark("!#$%&'*+-.^_`|~", kTokenByte);
    mark("-._~", kTargetByte | kUnreservedByte);
    mark("-._", kHostByte);
    mark(":/?[]@!$&'()*+,;=%", kTargetByte);
    for (size_t byte = 0; byte < table.size(); ++byte) {
        if (byte == '\t' || (byte >= 0x20 && byte != 0x7F)) {
            table[byte] |= kValueByte;
        }
    }
    return table;
}

consteval std::array<uint8_t, 256> make_hex_value() {
    std::array<uint8_t, 256> table{};
    table.fill(255);
    for (uint8_t digit = 0; digit < 10; ++digit) {
        table[static_cast<size_t>('0' + digit)] = digit;
    }
    for (uint8_t digit = 0; digit < 6; ++digit) {
        table[static_cast<size_t>('a' + digit)] = static_cast<uint8_t>(10 + digit);
        table[static_cast<size_t>('A' + digit)] = static_cast<uint8_t>(10 + digit);
    }
    return table;
}

#if defined(__SSE2__)
constexpr size_t kBlock = 16;

// One bit for each of the 16 bytes from `at` on that may not stand in a field value. at + 16 <= text.size().
uint32_t not_of_value(std::string_view text, size_t at) {
    const std::string_view block = text.substr(at, kBlock);
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block.data()));
    const __m128i is_control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
    const __m128i is_tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    const __m128i is_delete = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F));
    const __m128i stops = _mm_or_si128(_mm_andnot_si128(is_tab, is_control), is_delete);
    return static_cast<uint32_t>(_mm_movemask_epi8(stops));
}
#endif

}  // namespace

constinit const std::array<uint8_t, 256> kByteClass = make_byte_class();
constinit const std::array<uint8_t, 256> kHexValue = make_hex_value();

bool all_of(std::string_view text, ByteClass wanted) {
    for (const char byte : text) {
        if (!is_of(byte, wanted)) {
            return false;
        }
    }
    return true;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) {
        return false;
    }
    for (size_t i = 0; i < a.size(); ++i) {
        if (to_lower(a[i]) != to_lower(b[i])) {
            return false;
        }
    }
    return true;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

std::string_view take_list_element(std::string_view& list) {
    const size_t comma = list.find(',');
    const std::string_view element = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    return trim(element);
}

size_t find_value_end(std::string_view text, size_t from) {
    const size_t size = text.size();
    size_t at = from;
#if defined(__SSE2__)
    for (; at + kBlock <= size; at += kBlock) {
        if (const uint32_t stops = not_of_value(text, at); stops != 0) {
            return at + static_cast<size_t>(std::countr_zero(stops));
        }
    }
    if (at < size && size >= kBlock) {
        // The last block overlaps bytes already seen: cheaper than byte after byte, and inside the text.
        const uint32_t stops = not_of_value(text, size - kBlock) >> (at - (size - kBlock));
        return stops == 0 ? size : at + static_cast<size_t>(std::countr_zero(stops));
    }
#endif
    while (at < size && is_of(text[at], kValueByte)) {
        ++at;
    }
    return at;
}

bool parse_decimal(std::string_view text, uint64_t& number) {
    constexpr size_t kDigitsMax = 19;
    if (text.empty() || text.size() > kDigitsMax || !all_of(text, kDigitByte)) {
        return false;
    }
    uint64_t value = 0;  // 19 digits stay below 10^19, which fits into 64 bits
    for (const char digit : text) {
        value = value * 10 + static_cast<uint64_t>(digit - '0');
    }
    if (value > static_cast<uint64_t>(INT64_MAX)) {
        return false;
    }
    number = value;
    return true;
}

}  // namespace http
