// The chunked coding: what it decodes to, what it refuses, however the bytes are split.
#include "http/chunked_reader.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace http {
namespace {

using namespace std::string_view_literals;

constexpr ChunkedLimits kLimits =
    {.extension_max = 16, .extensions_max = 40, .trailer_max = 64, .trailer_fields_max = 3};

struct Decoded {
    ChunkedState state = ChunkedState::more;
    size_t consumed = 0;
    std::string data;
    std::string trailers;
    std::string reason;
};

// Decodes in pieces of `step` bytes, each in memory of exactly its size.
Decoded decode(std::string_view bytes, size_t step) {
    ChunkedReader reader(kLimits);
    Decoded all;
    while (all.state == ChunkedState::more && all.consumed < bytes.size()) {
        const std::string_view piece = bytes.substr(all.consumed, step);
        std::vector<char> memory(piece.begin(), piece.end());
        const ChunkedResult result = reader.decode(memory);
        all.state = result.state;
        all.consumed += result.consumed;
        all.data.append(result.data.data(), result.data.size());
        all.reason = result.reason;
        if (result.state == ChunkedState::more) {
            CHECK(result.consumed == memory.size());
        }
    }
    all.trailers = reader.trailers();
    return all;
}

Decoded decode_whole(std::string_view bytes) { return decode(bytes, bytes.size()); }

struct Body {
    std::string_view bytes;
    std::string_view data;
    std::string_view trailers;
};

constexpr Body kBodies[] = {
    {"0\r\n\r\n", "", ""},
    {"000\r\n\r\n", "", ""},
    {"5\r\nhello\r\n0\r\n\r\n", "hello", ""},
    {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", ""},
    {"1\r\na\r\n0000000000000002\r\nbc\r\n1\r\nd\r\n0\r\n\r\n", "abcd", ""},
    {"A\r\n0123456789\r\na\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n", "0123456789\r\n\r\n\r\n\r\n\r\n", ""},
    {"3;a\r\nabc\r\n0;b=c\r\n\r\n", "abc", ""},
    {"3;a=\"x\\\";\"\r\nabc\r\n0;a;b=c;d\r\n\r\n", "abc", ""},
    {"3\r\nabc\r\n0\r\nX-Sum: 1\r\nETag:\t\"x\" \r\n\r\n", "abc", "X-Sum: 1\r\nETag:\t\"x\" \r\n"},
    {"0\r\nContent-Length: 5\r\nX: y\r\nX_Sum: 1\r\n\r\n", "", "X: y\r\n"},
};

struct Refusal {
    std::string_view name;
    std::string_view bytes;
};

constexpr Refusal kRefusals[] = {
    {"no size", "\r\nhello\r\n0\r\n\r\n"},
    {"size that is no number", "g\r\n"},
    {"size with sign", "+5\r\nhello\r\n0\r\n\r\n"},
    {"negative size", "-5\r\nhello\r\n0\r\n\r\n"},
    {"size with prefix", "0x5\r\nhello\r\n0\r\n\r\n"},
    {"space before the size", " 5\r\nhello\r\n0\r\n\r\n"},
    {"space behind the size", "5 \r\nhello\r\n0\r\n\r\n"},
    {"tab behind the size", "5\t\r\nhello\r\n0\r\n\r\n"},
    {"size beyond 2^62", "4000000000000001\r\n"},
    {"size of 64 bits", "ffffffffffffffff\r\n"},
    {"size that overflows to a small one", "10000000000000005\r\nhello\r\n0\r\n\r\n"},
    {"size of 17 digits", "00000000000000005\r\nhello\r\n0\r\n\r\n"},
    {"line feed alone behind the size", "5\nhello\r\n0\r\n\r\n"},
    {"carriage return alone behind the size", "5\rhello\r\n0\r\n\r\n"},
    {"data longer than the size", "4\r\nhello\r\n0\r\n\r\n"},
    {"data shorter than the size", "6\r\nhello\r\n0\r\n\r\n"},
    {"line feed alone behind the data", "5\r\nhello\n0\r\n\r\n"},
    {"carriage return alone behind the data", "5\r\nhello\r0\r\n\r\n"},
    {"no end of the data", "5\r\nhello0\r\n\r\n"},
    {"extension without name", "5;\r\nhello\r\n0\r\n\r\n"},
    {"extension with an empty value", "5;a=\r\nhello\r\n0\r\n\r\n"},
    {"extension with two values", "5;a=b=c\r\nhello\r\n0\r\n\r\n"},
    {"extension with space", "5; a\r\nhello\r\n0\r\n\r\n"},
    {"extension with control character", "5;a\x01\r\nhello\r\n0\r\n\r\n"},
    {"extension with line feed", "5;a\nhello\r\n0\r\n\r\n"},
    {"extension with carriage return", "5;a\rb\r\nhello\r\n0\r\n\r\n"},
    {"quoted extension with line end", "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n"},
    {"quoted extension with more behind it", "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n"},
    {"quoted extension with NUL", "5;a=\"\0\"\r\nhello\r\n0\r\n\r\n"sv},
    {"long extension", "5;aaaaaaaaaaaaaaaaaaaa\r\nhello\r\n0\r\n\r\n"},
    {"many extensions",
     "1;aaaaaaaaaa\r\nx\r\n1;aaaaaaaaaa\r\nx\r\n1;aaaaaaaaaa\r\nx\r\n1;aaaaaaaaaa\r\nx\r\n0\r\n\r\n"},
    {"line feed alone behind the last chunk", "0\n\r\n"},
    {"line feed alone ends the trailers", "0\r\n\n"},
    {"trailer without colon", "0\r\nnothing\r\n\r\n"},
    {"trailer with space before colon", "0\r\nX : y\r\n\r\n"},
    {"trailer without name", "0\r\n: y\r\n\r\n"},
    {"folded trailer", "0\r\nX: y\r\n z\r\n\r\n"},
    {"trailer with line feed alone", "0\r\nX: y\n\r\n"},
    {"trailer with carriage return", "0\r\nX: y\rz\r\n\r\n"},
    {"request where a trailer should be", "0\r\nGET / HTTP/1.1\r\n\r\n"},
    {"too many trailers", "0\r\nA: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\n\r\n"},
    {"trailers too large",
     "0\r\nA: 01234567890123456789012345678901234567890123456789012345678901234567890\r\n\r\n"},
};

TEST_CASE("a valid body is decoded the same in pieces of any size") {
    for (const Body& body : kBodies) {
        CAPTURE(body.bytes);
        const std::string pipelined = std::string(body.bytes) + "GET /next";
        for (size_t step = 1; step <= pipelined.size(); ++step) {
            CAPTURE(step);
            const Decoded decoded = decode(pipelined, step);
            CHECK(decoded.state == ChunkedState::done);
            CHECK(decoded.consumed == body.bytes.size());
            CHECK(decoded.data == body.data);
            CHECK(decoded.trailers == body.trailers);
        }
    }
}

TEST_CASE("a body cut at any byte is not done") {
    for (const Body& body : kBodies) {
        CAPTURE(body.bytes);
        for (size_t size = 0; size < body.bytes.size(); ++size) {
            const Decoded decoded = decode_whole(body.bytes.substr(0, size));
            CHECK(decoded.state == ChunkedState::more);
            CHECK(body.data.starts_with(decoded.data));
        }
    }
}

TEST_CASE("framing that is not exactly the grammar is refused in pieces of any size") {
    for (const Refusal& refusal : kRefusals) {
        CAPTURE(refusal.name);
        for (size_t step = 1; step <= refusal.bytes.size(); ++step) {
            CAPTURE(step);
            const Decoded decoded = decode(refusal.bytes, step);
            CHECK(decoded.state == ChunkedState::refused);
            CHECK_FALSE(decoded.reason.empty());
        }
    }
}

TEST_CASE("decoding leaves the first data where it lies and what follows the body untouched") {
    std::string bytes = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nNEXT";
    ChunkedReader reader;
    const ChunkedResult result = reader.decode(bytes);
    CHECK(result.state == ChunkedState::done);
    CHECK(result.data.data() == bytes.data() + 3);
    CHECK(std::string_view(result.data.data(), result.data.size()) == "abcde");
    CHECK(bytes.substr(result.consumed) == "NEXT");
}

TEST_CASE("the largest chunk is 2^62 bytes and its rest is known") {
    std::string bytes = "4000000000000000\r\nab";
    ChunkedReader reader;
    CHECK(reader.decode(bytes).state == ChunkedState::more);
    CHECK(reader.chunk_remaining() == (uint64_t{1} << 62) - 2);
}

TEST_CASE("after reset another body is read") {
    ChunkedReader reader;
    std::string first = "1;a=b\r\nx\r\n0\r\nX: y\r\n\r\n";
    CHECK(reader.decode(first).state == ChunkedState::done);
    CHECK(reader.trailers() == "X: y\r\n");
    reader.reset();
    std::string second = "2\r\nyz\r\n0\r\n\r\n";
    CHECK(reader.decode(second).state == ChunkedState::done);
    CHECK(reader.trailers().empty());
}

}  // namespace
}  // namespace http
