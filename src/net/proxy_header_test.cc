// The bytes that tell a server whose connection it is.
#include "net/proxy_header.h"

#include <string_view>

#include <doctest/doctest.h>

namespace net {

namespace {

// As pairs of hexadecimal digits.
std::string hex_of(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (char c : bytes) {
        text += digits[static_cast<unsigned char>(c) >> 4];
        text += digits[static_cast<unsigned char>(c) & 15];
    }
    return text;
}

constexpr std::string_view kSignatureHex = "0d0a0d0a000d0a515549540a";

}  // namespace

TEST_CASE("a client's address stands in the header as the protocol has it") {
    struct Row {
        std::string_view client;
        std::string_view target;
        std::string_view told;
    };
    const Row rows[] = {
        {"10.1.2.3:258",
         "127.0.0.1:3306",
         "2111000c"
         "0a010203"
         "7f000001"
         "0102"
         "0cea"},
        {"[2001:db8::1]:1",
         "[::1]:2",
         "21210024"
         "20010db8000000000000000000000001"
         "00000000000000000000000000000001"
         "0001"
         "0002"},
        {"[2001:db8::1]:1",
         "127.0.0.1:3306",
         "21210024"
         "20010db8000000000000000000000001"
         "00000000000000000000000000000000"
         "0001"
         "0000"},
    };
    for (const Row& row : rows) {
        std::string header = proxy_header(*Address::parse(row.client), *Address::parse(row.target));
        CHECK(hex_of(header) == std::string(kSignatureHex) + std::string(row.told));
    }
}

TEST_CASE("a client of a unix socket has a header of that family, without a path") {
    std::string header = proxy_header(*Address::of_unix_path("/run/a"), *Address::parse("127.0.0.1:3306"));
    CHECK(hex_of(header.substr(0, 16)) == std::string(kSignatureHex) + "213100d8");
    CHECK(header.substr(16) == std::string(216, '\0'));
}

}  // namespace net
