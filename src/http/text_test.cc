// The character classes against their grammars, and the scans against the tables, at every length and
// position.
#include "http/text.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace http {
namespace {

TEST_CASE("the classes hold exactly the bytes of their grammars") {
    const std::string alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const std::string token = alphanumeric + "!#$%&'*+-.^_`|~";
    const std::string target = alphanumeric + "-._~:/?[]@!$&'()*+,;=%";
    for (int code = 0; code < 256; ++code) {
        CAPTURE(code);
        const char byte = static_cast<char>(code);
        CHECK(is_of(byte, kTokenByte) == (token.find(byte) != std::string::npos));
        CHECK(is_of(byte, kTargetByte) == (target.find(byte) != std::string::npos));
        CHECK(is_of(byte, kHostByte) == ((alphanumeric + "-._").find(byte) != std::string::npos));
        CHECK(is_of(byte, kUnreservedByte) == ((alphanumeric + "-._~").find(byte) != std::string::npos));
        CHECK(is_of(byte, kValueByte) == (code == '\t' || (code >= 32 && code != 127)));
    }
}

TEST_CASE("each scan stops at every byte outside its class, wherever it lies") {
    struct Scan {
        size_t (*find)(std::string_view, size_t);
        ByteClass inside;
    };
    for (const Scan scan :
         {Scan{find_value_end, kValueByte}, {find_target_end, kTargetByte}, {find_name_end, kNameByte}}) {
        for (size_t size = 1; size <= 40; ++size) {
            for (size_t place = 0; place < size; ++place) {
                std::vector<char> text(size, 'a');
                const int step = size == 33 ? 1 : 29;  // every byte at one length, some at the others
                for (int code = 0; code < 256; code += step) {
                    text[place] = static_cast<char>(code);
                    const std::string_view view(text.data(), text.size());
                    const size_t end = is_of(text[place], scan.inside) ? size : place;
                    REQUIRE(scan.find(view, 0) == end);
                    REQUIRE(scan.find(view, place) == end);
                    REQUIRE(scan.find(view, place + 1) == size);
                }
            }
        }
    }
}

TEST_CASE("letters compare without case and nothing else does") {
    CHECK(equals_ignoring_case("Content-Length", "cONTENT-lENGTH"));
    CHECK(equals_ignoring_case("", ""));
    CHECK_FALSE(equals_ignoring_case("a", "ab"));
    CHECK_FALSE(equals_ignoring_case("@", "`"));
    CHECK_FALSE(equals_ignoring_case("[", "{"));
    CHECK_FALSE(equals_ignoring_case("\xC4", "\xE4"));
}

TEST_CASE("numbers are digits only and at most 2^63 - 1") {
    uint64_t number = 7;
    CHECK(parse_decimal("0", number));
    CHECK(number == 0);
    CHECK(parse_decimal("9223372036854775807", number));
    CHECK(number == 9223372036854775807ULL);
    for (const std::string_view text :
         {"",
          " 1",
          "1 ",
          "+1",
          "-1",
          "1,1",
          "0x1",
          "1e3",
          "9223372036854775808",
          "9999999999999999999",
          "10000000000000000000"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_decimal(text, number));
        CHECK(number == 9223372036854775807ULL);
    }
}

TEST_CASE("lists are taken apart at their commas") {
    std::string_view list = " a ,,b\t, c d";
    for (const std::string_view expected : {"a", "", "b", "c d"}) {
        CHECK(take_list_element(list) == expected);
    }
    CHECK(list.empty());
}

}  // namespace
}  // namespace http
