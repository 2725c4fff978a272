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
        if (byte > 0x20 && byte < 0x80 && byte != ':') {
            table[byte] |= kNameByte;
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

__m128i equal(__m128i bytes, char byte) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte)); }

// Finds both bytes that differ from `byte` in no other bits than those of `mask`.
__m128i equal_with_bits(__m128i bytes, char mask, char byte) {
    return equal(_mm_or_si128(bytes, _mm_set1_epi8(mask)), byte);
}

// Each of the following says, for 16 bytes at once, which of them end a scan (all bits set) and which do not.
struct OutsideValue {
    static constexpr ByteClass kClass = kValueByte;

    static __m128i find(__m128i bytes) {
        const __m128i is_control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
        return _mm_or_si128(_mm_andnot_si128(equal(bytes, '\t'), is_control), equal(bytes, 0x7F));
    }
};

struct OutsideTarget {
    static constexpr ByteClass kClass = kTargetByte;

    static __m128i find(__m128i bytes) {
        // The comparison is signed: bytes above 127 count as below the space.
        const __m128i is_blank = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x21));
        const __m128i quote_or_hash = equal_with_bits(bytes, 0x01, '#');
        const __m128i angle = equal_with_bits(bytes, 0x02, '>');
        const __m128i backslash_or_caret = equal_with_bits(bytes, 0x02, '^');
        const __m128i above_z = _mm_cmpgt_epi8(bytes, _mm_set1_epi8('z'));
        const __m128i brace_or_delete = _mm_andnot_si128(equal(bytes, '~'), above_z);
        return _mm_or_si128(
            _mm_or_si128(_mm_or_si128(is_blank, quote_or_hash), _mm_or_si128(angle, backslash_or_caret)),
            _mm_or_si128(equal(bytes, '`'), brace_or_delete)
        );
    }
};

struct OutsideName {
    static constexpr ByteClass kClass = kNameByte;

    static __m128i find(__m128i bytes) {
        return _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x21)), equal(bytes, ':'));
    }
};

// One bit for each of the 16 bytes from `at` on; at + 16 <= text.size().
template <class Outside>
uint32_t stops_in_block(std::string_view text, size_t at) {
    const std::string_view block = text.substr(at, kBlock);
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block.data()));
    return static_cast<uint32_t>(_mm_movemask_epi8(Outside::find(bytes)));
}

template <class Outside>
size_t scan(std::string_view text, size_t from) {
    const size_t size = text.size();
    size_t at = from;
    for (; at + kBlock <= size; at += kBlock) {
        if (const uint32_t stops = stops_in_block<Outside>(text, at); stops != 0) {
            return at + static_cast<size_t>(std::countr_zero(stops));
        }
    }
    if (at < size && size >= kBlock) {
        // The last block overlaps bytes already seen: cheaper than byte after byte, and inside the text.
        const uint32_t stops = stops_in_block<Outside>(text, size - kBlock) >> (at - (size - kBlock));
        return stops == 0 ? size : at + static_cast<size_t>(std::countr_zero(stops));
    }
    while (at < size && is_of(text[at], Outside::kClass)) {
        ++at;
    }
    return at;
}
#else
struct OutsideValue {
    static constexpr ByteClass kClass = kValueByte;
};

struct OutsideTarget {
    static constexpr ByteClass kClass = kTargetByte;
};

struct OutsideName {
    static constexpr ByteClass kClass = kNameByte;
};

template <class Outside>
size_t scan(std::string_view text, size_t from) {
    size_t at = from;
    while (at < text.size() && is_of(text[at], Outside::kClass)) {
        ++at;
    }
    return at;
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

size_t find_value_end(std::string_view text, size_t from) { return scan<OutsideValue>(text, from); }

size_t find_target_end(std::string_view text, size_t from) { return scan<OutsideTarget>(text, from); }

size_t find_name_end(std::string_view text, size_t from) { return scan<OutsideName>(text, from); }

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
