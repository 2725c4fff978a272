// What the response reader takes from backends and what it refuses; truncated and split at every byte.
#include "http/response_reader.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace http {
namespace {

using namespace std::string_view_literals;

constexpr HeadLimits kLimits = {.uri_max = 0, .head_max = 1024, .fields_max = 8};

struct Reader {
    std::vector<char> bytes;
    HeadProgress progress;
    FieldTable fields{8};
    ResponseHead head;
    HeadResult result;

    HeadOutcome feed(std::string_view all, Method method = Method::get) {
        bytes.assign(all.begin(), all.end());
        bytes.shrink_to_fit();
        result = parse_response_head({bytes.data(), bytes.size()}, kLimits, progress, fields, head, method);
        return result.outcome;
    }

    HeadOutcome feed_each_byte(std::string_view all) {
        for (size_t size = 1; size <= all.size(); ++size) {
            if (feed(all.substr(0, size)) != HeadOutcome::need_more) {
                break;
            }
        }
        return result.outcome;
    }

    [[nodiscard]] std::string text(Slice slice) const { return std::string(slice.in(bytes.data())); }
};

#define OK_WITH(lines) "HTTP/1.1 200 OK\r\n" lines "\r\n\r\n"

struct Refusal {
    std::string_view name;
    std::string_view bytes;
};

constexpr Refusal kRefusals[] = {
    {"empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n"},
    {"another protocol", "ICY 200 OK\r\n\r\n"},
    {"version 2.0", "HTTP/2.0 200 OK\r\n\r\n"},
    {"version 1.2", "HTTP/1.2 200 OK\r\n\r\n"},
    {"lower case", "http/1.1 200 OK\r\n\r\n"},
    {"no status", "HTTP/1.1\r\n\r\n"},
    {"status of two digits", "HTTP/1.1 20 OK\r\n\r\n"},
    {"status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"},
    {"status below 100", "HTTP/1.1 099 OK\r\n\r\n"},
    {"status with letter", "HTTP/1.1 2x0 OK\r\n\r\n"},
    {"two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n"},
    {"line feed alone behind the status line", "HTTP/1.1 200 OK\nX: y\r\n\r\n"},
    {"line feeds only", "HTTP/1.1 200 OK\n\n"},
    {"carriage return alone in the reason", "HTTP/1.1 200 O\rK\r\n\r\n"},
    {"NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"sv},
    {"line feed alone behind a field", "HTTP/1.1 200 OK\r\nX: y\n\r\n"},
    {"folded line", OK_WITH("X: y\r\n z")},
    {"space before colon", OK_WITH("X : y")},
    {"empty name", OK_WITH(": y")},
    {"control character", OK_WITH("X: \x02")},
    {"Content-Length and Transfer-Encoding", OK_WITH("Content-Length: 3\r\nTransfer-Encoding: chunked")},
    {"two Content-Lengths", OK_WITH("Content-Length: 3\r\nContent-Length: 3")},
    {"Content-Length list", OK_WITH("Content-Length: 3, 3")},
    {"negative Content-Length", OK_WITH("Content-Length: -1")},
    {"empty Content-Length", OK_WITH("Content-Length:")},
    {"Content-Length too large", OK_WITH("Content-Length: 9223372036854775808")},
    {"two Transfer-Encodings", OK_WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")},
    {"gzip coding", OK_WITH("Transfer-Encoding: gzip, chunked")},
    {"identity coding", OK_WITH("Transfer-Encoding: identity")},
    {"chunked not last", OK_WITH("Transfer-Encoding: chunked, gzip")},
    {"Transfer-Encoding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"Connection names Content-Length", OK_WITH("Content-Length: 3\r\nConnection: content-length")},
    {"bad framing in an answer without body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3, 4\r\n\r\n"},
    {"nine fields", OK_WITH("A: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\nA: 5\r\nA: 6\r\nA: 7\r\nA: 8\r\nA: 9")},
};

TEST_CASE("what a backend may not send is refused as a bad gateway, whole and byte by byte") {
    for (const Refusal& refusal : kRefusals) {
        CAPTURE(refusal.name);
        Reader whole;
        CHECK(whole.feed(refusal.bytes) == HeadOutcome::refused);
        CHECK(whole.result.status == 502);
        CHECK_FALSE(whole.result.reason.empty());
        Reader split;
        CHECK(split.feed_each_byte(refusal.bytes) == HeadOutcome::refused);
        CHECK(split.result.status == 502);
    }
}

TEST_CASE("the framing follows from status, request method and fields") {
    struct Row {
        std::string_view bytes;
        Method method;
        Framing framing;
        KeepAlive keep_alive;
    };
    using enum FramingKind;
    using enum KeepAlive;
    constexpr Row kRows[] = {
        {OK_WITH("Content-Length: 5"), Method::get, {length, 5}, keep},
        {OK_WITH("Content-Length: 0"), Method::get, {none, 0}, keep},
        {OK_WITH("Content-Length: 5\r\nConnection: close"), Method::get, {length, 5}, close},
        {OK_WITH("Transfer-Encoding: CHUNKED"), Method::post, {chunked, 0}, keep},
        {OK_WITH("X: y"), Method::get, {until_close, 0}, close},
        {OK_WITH("Content-Length: 5"), Method::head, {none, 0}, keep},
        {OK_WITH("Transfer-Encoding: chunked"), Method::head, {none, 0}, keep},
        {OK_WITH("X: y"), Method::head, {none, 0}, keep},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Method::get, {none, 0}, keep},
        {"HTTP/1.1 204 No Content\r\n\r\n", Method::get, {none, 0}, keep},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", Method::get, {none, 0}, keep},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", Method::get, {none, 0}, close},
        {"HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n", Method::get, {none, 0}, close},
        {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", Method::get, {none, 0}, keep},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", Method::get, {length, 5}, close},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n",
         Method::get,
         {length, 5},
         keep},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", Method::get, {until_close, 0}, close},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.bytes);
        Reader reader;
        REQUIRE(reader.feed(row.bytes, row.method) == HeadOutcome::complete);
        CHECK(reader.head.framing == row.framing);
        CHECK(reader.head.keep_alive == row.keep_alive);
        CHECK(reader.result.length == row.bytes.size());
    }
}

TEST_CASE("the status line may lack its reason") {
    struct Row {
        std::string_view bytes;
        uint16_t status;
        std::string_view reason;
    };
    constexpr Row kRows[] = {
        {"HTTP/1.1 200\r\n\r\n", 200, ""},
        {"HTTP/1.1 404 \r\n\r\n", 404, ""},
        {"HTTP/1.0 999 Not \xC3\xA4 \t here\r\n\r\n", 999, "Not \xC3\xA4 \t here"},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.bytes);
        Reader reader;
        REQUIRE(reader.feed(row.bytes) == HeadOutcome::complete);
        CHECK(reader.head.status == row.status);
        CHECK(reader.text(reader.head.reason) == row.reason);
    }
}

TEST_CASE("only other answers than 101 are interim") {
    ResponseHead head;
    for (const int status : {100, 102, 103, 199}) {
        head.status = static_cast<uint16_t>(status);
        CHECK(head.is_interim());
    }
    for (const int status : {101, 200, 304, 500}) {
        head.status = static_cast<uint16_t>(status);
        CHECK_FALSE(head.is_interim());
    }
}

TEST_CASE("an upgrade names its protocol") {
    Reader reader;
    REQUIRE(
        reader.feed(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x01"
        ) == HeadOutcome::complete
    );
    CHECK(reader.text(reader.head.upgrade) == "websocket");
    CHECK(reader.result.length == reader.bytes.size() - 2);
}

TEST_CASE("only what belongs to the connection is kept from the client") {
    Reader reader;
    REQUIRE(
        reader.feed(
            OK_WITH("Connection: x-mine\r\nX-Mine: 1\r\nX_Under: 2\r\nKeep-Alive: 3\r\nSet-Cookie: a\r\n"
                    "Set-Cookie: b\r\nContent-Length: 0")
        ) == HeadOutcome::complete
    );
    using enum FieldFate;
    constexpr FieldFate kExpected[] = {hop_by_hop, nominated, pass, hop_by_hop, pass, pass, pass};
    const auto fields = reader.fields.fields();
    REQUIRE(fields.size() == std::size(kExpected));
    for (size_t i = 0; i < fields.size(); ++i) {
        CAPTURE(reader.text(fields[i].name));
        CHECK(fields[i].fate == kExpected[i]);
    }
    Reader empty;
    REQUIRE(empty.feed("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n") == HeadOutcome::complete);
    CHECK(empty.fields.fields()[0].fate == hop_by_hop);
}

TEST_CASE("a head cut at any byte needs more, and splitting does not change what is read") {
    constexpr std::string_view kBytes =
        "HTTP/1.1 201 Created at last\r\nServer: x\r\nContent-Length: 42\r\nX-Long: "
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaa \r\n\r\nbody";
    Reader whole;
    REQUIRE(whole.feed(kBytes) == HeadOutcome::complete);
    for (size_t size = 0; size < whole.result.length; ++size) {
        CAPTURE(size);
        Reader cut;
        CHECK(cut.feed(kBytes.substr(0, size)) == HeadOutcome::need_more);
        REQUIRE(cut.feed(kBytes) == HeadOutcome::complete);
        CHECK(cut.result.length == whole.result.length);
        CHECK(cut.head.framing == whole.head.framing);
        CHECK(cut.head.reason == whole.head.reason);
        CHECK(cut.fields.fields()[2].value == whole.fields.fields()[2].value);
    }
    Reader split;
    REQUIRE(split.feed_each_byte(kBytes) == HeadOutcome::complete);
    CHECK(split.bytes.size() == whole.result.length);
}

TEST_CASE("a response head over its bound is refused before it has ended") {
    Reader reader;
    CHECK(reader.feed("HTTP/1.1 200 OK\r\nX: " + std::string(kLimits.head_max, 'x')) == HeadOutcome::refused);
    CHECK(reader.result.status == 502);
    Reader slow;
    CHECK(
        slow.feed_each_byte("HTTP/1.1 200 " + std::string(2 * kLimits.head_max, 'x')) == HeadOutcome::refused
    );
    CHECK(slow.bytes.size() == kLimits.head_max);
}

}  // namespace
}  // namespace http
