// Bytes as the tokenizer of SQL sees them. Internal to this folder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mysql {

enum class ByteClass : uint8_t { punctuation, blank, letter, digit, high };

constexpr std::array<ByteClass, 256> make_byte_classes() {
    std::array<ByteClass, 256> classes{};
    for (size_t byte = 0; byte < classes.size(); ++byte) {
        if (byte >= 0x80) {
            classes[byte] = ByteClass::high;
        } else if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
                   byte == '$') {
            classes[byte] = ByteClass::letter;
        } else if (byte >= '0' && byte <= '9') {
            classes[byte] = ByteClass::digit;
        } else if (byte == ' ' || (byte >= '\t' && byte <= '\r')) {
            classes[byte] = ByteClass::blank;
        }
    }
    return classes;
}

inline constexpr std::array<ByteClass, 256> kByteClasses = make_byte_classes();

constexpr ByteClass class_of(char byte) { return kByteClasses[static_cast<unsigned char>(byte)]; }

constexpr bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

constexpr bool is_word_byte(char byte) {
    const ByteClass found = class_of(byte);
    return found == ByteClass::letter || found == ByteClass::digit || found == ByteClass::high;
}

constexpr bool is_hex_digit(char byte) {
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

constexpr char to_lower(char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + ('a' - 'A')) : byte;
}

constexpr uint64_t repeated(char byte) { return 0x0101010101010101ULL * static_cast<unsigned char>(byte); }

// Not zero where one of the eight bytes is zero (Mycroft's test; bits above the first zero may be wrong).
constexpr uint64_t zero_bytes(uint64_t eight) {
    return (eight - 0x0101010101010101ULL) & ~eight & 0x8080808080808080ULL;
}

// The first place from `begin` on that holds one of the two; the size if there is none. Eight bytes a step:
// a statement may carry megabytes between two quotes.
inline size_t find_either(std::string_view text, size_t begin, char first, char second) {
    while (begin + sizeof(uint64_t) <= text.size()) {
        uint64_t eight = 0;
        std::memcpy(&eight, text.data() + begin, sizeof(eight));
        if ((zero_bytes(eight ^ repeated(first)) | zero_bytes(eight ^ repeated(second))) != 0) {
            break;
        }
        begin += sizeof(uint64_t);
    }
    while (begin < text.size() && text[begin] != first && text[begin] != second) {
        ++begin;
    }
    return begin;
}

}  // namespace mysql
