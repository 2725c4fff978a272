// What is UTF-8, and what only looks like it.
#include "core/utf8.h"

#include <string>

#include <doctest/doctest.h>

#include "core/random.h"

namespace core {
namespace {

using namespace std::string_view_literals;

// As RFC 3629 has it in its section 3; independent of the reader.
std::string encoded(uint32_t code) {
    auto byte = [](uint32_t bits) { return static_cast<char>(bits); };
    if (code < 0x80) {
        return {byte(code)};
    }
    if (code < 0x800) {
        return {byte(0xC0 | code >> 6), byte(0x80 | (code & 63))};
    }
    if (code < 0x10000) {
        return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63))};
    }
    return {
        byte(0xF0 | code >> 18),
        byte(0x80 | (code >> 12 & 63)),
        byte(0x80 | (code >> 6 & 63)),
        byte(0x80 | (code & 63))
    };
}

TEST_CASE("every character is UTF-8, and no half of a pair is") {
    for (uint32_t code = 0; code <= 0x110000; ++code) {
        bool is_character = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        std::string text = encoded(code);
        if (utf8_sequence_length(text) != (is_character ? text.size() : 0) || is_utf8(text) != is_character) {
            CAPTURE(code);
            REQUIRE(false);
        }
    }
}

TEST_CASE("a text is UTF-8 when all of it is") {
    for (std::string_view text : {""sv, "a\0b"sv, "Z\xC3\xBC\xF0\x9D\x84\x9E"sv}) {
        CHECK(is_utf8(text));
    }
    for (std::string_view text :
         {"\xFF"sv,
          "a\x80"sv,
          "\xC0\x80"sv,
          "\xE0\x80\x80"sv,
          "\xF0\x80\x80\x80"sv,
          "\xF5\x80\x80\x80"sv,
          "\xC3\x28"sv}) {
        CHECK_FALSE(is_utf8(text));
    }
}

TEST_CASE("a text that is cut inside of a character is not UTF-8") {
    for (std::string_view whole : {"a\xC3\xBC"sv, "a\xE2\x82\xAC"sv, "a\xF0\x9F\x98\x80"sv}) {
        for (size_t size = 2; size < whole.size(); ++size) {
            CHECK_FALSE(is_utf8(whole.substr(0, size)));
        }
    }
}

}  // namespace
}  // namespace core
