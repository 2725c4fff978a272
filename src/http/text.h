// The characters of HTTP/1.1: which bytes may stand in a token, a field value, a target, and how ASCII is
// compared.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace http {

// What a byte may be part of; the bits of kByteClass.
enum ByteClass : uint8_t {
    kTokenByte = 1,       // RFC 9110 section 5.6.2: methods, field names
    kValueByte = 2,       // RFC 9110 section 5.5: HTAB, SP, VCHAR, obs-text; no other control character
    kTargetByte = 4,      // RFC 3986 section 2: unreserved, gen-delims but "#", sub-delims, "%"
    kUnreservedByte = 8,  // RFC 3986 section 2.3
    kHostByte = 16,       // letters, digits, "-", ".", "_": all that we accept of a reg-name
    kDigitByte = 32,
    kNameByte = 64,  // 33 to 127 without ":", which a superficial look takes for a field name
};

// The class of each byte.
extern const std::array<uint8_t, 256> kByteClass;

// The value of each hexadecimal digit, 255 for other bytes.
extern const std::array<uint8_t, 256> kHexValue;

[[nodiscard]] inline bool is_of(char byte, ByteClass wanted) {
    return (kByteClass[static_cast<unsigned char>(byte)] & wanted) != 0;
}

[[nodiscard]] inline uint8_t hex_value(char digit) { return kHexValue[static_cast<unsigned char>(digit)]; }

// Whether every byte of `text` is of the class; true for the empty text.
[[nodiscard]] bool all_of(std::string_view text, ByteClass wanted);

[[nodiscard]] inline char to_lower(char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + ('a' - 'A')) : byte;
}

// Compares ASCII letters without case and every other byte exactly.
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b);

// Whether a CRLF stands at `at`.
[[nodiscard]] inline bool has_crlf(std::string_view text, size_t at) {
    return at + 1 < text.size() && text[at] == '\r' && text[at + 1] == '\n';
}

// Whether `text` begins with the literal; its length is known to the compiler, so a few words are compared
// and nothing called.
template <size_t Size>
[[nodiscard]] bool begins_with(std::string_view text, const char (&literal)[Size]) {
    return text.size() >= Size - 1 && std::memcmp(text.data(), literal, Size - 1) == 0;
}

// The text without the spaces and tabs (OWS, RFC 9110 section 5.6.3) at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);

// Takes the first element off a comma separated list: returns it trimmed and leaves in `list` what follows
// its comma. Elements may be empty. Quoted strings are not looked into: for lists of tokens only.
[[nodiscard]] std::string_view take_list_element(std::string_view& list);

// The position of the first byte at or after `from` that is not of the class, text.size() if there is none:
// after a value that is the CR of its line. Read 16 bytes at a time, never outside `text`; from <=
// text.size().
[[nodiscard]] size_t find_value_end(std::string_view text, size_t from);   // kValueByte
[[nodiscard]] size_t find_target_end(std::string_view text, size_t from);  // kTargetByte
[[nodiscard]] size_t find_name_end(std::string_view text, size_t from);    // kNameByte

// A decimal number of 1 to 19 digits and nothing else, at most 2^63 - 1. False, and `number` untouched,
// otherwise.
[[nodiscard]] bool parse_decimal(std::string_view text, uint64_t& number);

}  // namespace http
