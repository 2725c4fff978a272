// What the request reader accepts, what it refuses and with which status; truncated and split at every byte.
#include "http/request_reader.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace http {
namespace {

using namespace std::string_view_literals;

constexpr HeadLimits kLimits = {.uri_max = 256, .head_max = 2048, .fields_max = 16};

// One connection's reader. The bytes lie in memory of exactly their size, so that AddressSanitizer sees a
// read beyond them.
struct Reader {
    std::vector<char> bytes;
    HeadLimits limits = kLimits;
    HeadProgress progress;
    FieldTable fields{64};
    RequestHead head;
    HeadResult result;

    HeadOutcome feed(std::string_view all) {
        bytes.assign(all.begin(), all.end());
        bytes.shrink_to_fit();
        result = parse_request_head({bytes.data(), bytes.size()}, limits, progress, fields, head);
        return result.outcome;
    }

    // Feeds one more byte at a time until there is a verdict.
    HeadOutcome feed_each_byte(std::string_view all) {
        for (size_t size = 1; size <= all.size(); ++size) {
            if (feed(all.substr(0, size)) != HeadOutcome::need_more) {
                break;
            }
        }
        return result.outcome;
    }

    [[nodiscard]] std::string text(Slice slice) const { return std::string(slice.in(bytes.data())); }

    // Everything the reader said, to compare two ways of reading the same bytes.
    [[nodiscard]] std::string description() const {
        std::string all;
        for (const Slice slice :
             {head.method_text, head.target, head.path, head.query, head.host, head.host_name, head.upgrade
             }) {
            all += text(slice) + "|";
        }
        for (const Field& field : fields.fields()) {
            all += text(field.name) + "=" + text(field.value) + "," + std::to_string(field.line_end) + "," +
                   std::to_string(std::to_underlying(field.id)) + "," +
                   std::to_string(std::to_underlying(field.fate)) + ";";
        }
        for (const uint64_t number :
             {uint64_t{result.length},
              uint64_t{head.fields_begin},
              uint64_t{head.version_minor},
              head.framing.length,
              uint64_t{std::to_underlying(head.framing.kind)},
              uint64_t{std::to_underlying(head.form)},
              uint64_t{std::to_underlying(head.keep_alive)},
              uint64_t{head.host_port},
              uint64_t{head.has_query},
              uint64_t{head.expects_continue}}) {
            all += std::to_string(number) + " ";
        }
        return all;
    }
};

struct Refusal {
    std::string_view name;
    uint16_t status;
    std::string_view bytes;
};

#define GET_WITH(line) "GET / HTTP/1.1\r\nHost: a\r\n" line "\r\n\r\n"
#define POST_WITH(line) "POST / HTTP/1.1\r\nHost: a\r\n" line "\r\n\r\nabc"
#define TARGET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"
#define HOST(value) "GET / HTTP/1.1\r\nHost:" value "\r\n\r\n"

constexpr Refusal kRefusals[] = {
    {"line feed alone after the request line", 400, "GET / HTTP/1.1\nHost: a\r\n\r\n"},
    {"line feed alone after a field", 400, "GET / HTTP/1.1\r\nHost: a\n\r\n"},
    {"line feeds only", 400, "GET / HTTP/1.1\nHost: a\n\n"},
    {"line feed alone ends the head", 400, "GET / HTTP/1.1\r\nHost: a\r\n\n"},
    {"carriage return alone in a value", 400, GET_WITH("X: a\rb")},
    {"carriage return alone begins a line", 400, "GET / HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n"},
    {"two carriage returns", 400, "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"},
    {"carriage return alone in the request line", 400, "GET / HTTP/1.1\rX\r\nHost: a\r\n\r\n"},
    {"folded line", 400, GET_WITH("X: a\r\n b")},
    {"folded line by tab", 400, GET_WITH("X: a\r\n\tb")},
    {"folded line of white space only", 400, GET_WITH("X: a\r\n ")},
    {"space before colon", 400, GET_WITH("Content-Length : 3")},
    {"tab before colon", 400, GET_WITH("Host2\t: a")},
    {"empty field name", 400, GET_WITH(": a")},
    {"line without colon", 400, GET_WITH("no colon")},
    {"name without colon", 400, GET_WITH("nocolon")},
    {"name with parenthesis", 400, GET_WITH("X(y): a")},
    {"name with quote", 400, GET_WITH("X\"y: a")},
    {"name with slash", 400, GET_WITH("X/y: a")},
    {"name with obs-text", 400, GET_WITH("X\xC3\xA4: a")},
    {"name with NUL", 400, "GET / HTTP/1.1\r\nHost: a\r\nX\0y: a\r\n\r\n"sv},
    {"name with delete", 400, GET_WITH("X\x7F: a")},
    {"name with vertical tab", 400, GET_WITH("X\v: a")},
    {"known name with a carriage return for its hyphen", 400, GET_WITH("Content\rLength: 3")},
    {"value with NUL", 400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"sv},
    {"value with control character", 400, GET_WITH("X: a\x01!")},
    {"value with escape", 400, GET_WITH("X: \x1B[0m")},
    {"value with delete", 400, GET_WITH("X: a\x7F")},
    {"white space before the first field", 400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
    {"two empty lines first", 400, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"line feed alone first", 400, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"carriage return alone first", 400, "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"space first", 400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"method with brace", 400, "G{T / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"method with colon", 400, "GET: / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"method then tab", 400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"method of 33 bytes", 501, "AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDD / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"TLS hello", 400, "\x16\x03\x01\x02\r\n\r\n"},
    {"two spaces before the target", 400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"two spaces before the version", 400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"space behind the version", 400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
    {"space in the target", 400, TARGET("/a b")},
    {"tab in the target", 400, TARGET("/a\tb")},
    {"NUL in the target", 400, "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"non-ASCII target", 400, TARGET("/\xC3\xA4")},
    {"fragment in the target", 400, TARGET("/a#b")},
    {"quote in the target", 400, TARGET("/a\"b")},
    {"less-than in the target", 400, TARGET("/a<b")},
    {"greater-than in the target", 400, TARGET("/a>b")},
    {"backslash in the target", 400, TARGET("/a\\b")},
    {"caret in the target", 400, TARGET("/a^b")},
    {"backquote in the target", 400, TARGET("/a`b")},
    {"brace in the target", 400, TARGET("/a{b")},
    {"closing brace in the target", 400, TARGET("/a}b")},
    {"bar in the target", 400, TARGET("/a|b")},
    {"delete in the target", 400, TARGET("/a\x7F")},
    {"target without slash", 400, TARGET("a/b")},
    {"target of another scheme", 400, TARGET("ftp://a/b")},
    {"target with an empty authority", 400, TARGET("http:///b")},
    {"target with user information", 400, TARGET("http://u@a/b")},
    {"authority target without CONNECT", 400, TARGET("a:80")},
    {"path target with CONNECT", 400, "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"CONNECT without port", 400, "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"star without OPTIONS", 400, TARGET("*")},
    {"HTTP/0.9", 400, "GET /\r\n\r\n"},
    {"HTTP/0.9 with a space", 400, "GET / \r\n\r\n"},
    {"version 1.2", 400, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
    {"version 01.1", 400, "GET / HTTP/01.1\r\nHost: a\r\n\r\n"},
    {"version 2.0", 505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
    {"preface of HTTP/2", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    {"version in lower case", 400, "GET / http/1.1\r\nHost: a\r\n\r\n"},
    {"version with two digits", 400, "GET / HTTP/1.10\r\nHost: a\r\n\r\n"},
    {"version without minor", 400, "GET / HTTP/1\r\nHost: a\r\n\r\n"},
    {"another protocol", 400, "GET / XTTP/1.1\r\nHost: a\r\n\r\n"},
    {"no Host", 400, "GET / HTTP/1.1\r\nX: a\r\n\r\n"},
    {"no field at all", 400, "GET / HTTP/1.1\r\n\r\n"},
    {"two Hosts", 400, GET_WITH("Host: b")},
    {"two equal Hosts", 400, GET_WITH("hOST: a")},
    {"two Hosts in HTTP/1.0", 400, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"},
    {"empty Host", 400, HOST("")},
    {"Host list", 400, HOST(" a, b")},
    {"Host with user information", 400, HOST(" u@a")},
    {"Host with path", 400, HOST(" a/b")},
    {"Host with space", 400, HOST(" a b")},
    {"Host with letters for a port", 400, HOST(" a:x")},
    {"Host with an empty port", 400, HOST(" a:")},
    {"Host with a port too large", 400, HOST(" a:65536")},
    {"Host with an empty label", 400, HOST(" a..b")},
    {"Host with escape", 400, HOST(" a%20b")},
    {"Host with broken literal", 400, HOST(" [::1")},
    {"Host other than the target's", 400, "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"},
    {"Host without the target's port", 400, "GET http://a:8080/ HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"absolute target and no Host", 400, "GET http://a/ HTTP/1.1\r\nX: a\r\n\r\n"},
    {"Content-Length and Transfer-Encoding", 400, POST_WITH("Content-Length: 3\r\nTransfer-Encoding: chunked")
    },
    {"Transfer-Encoding and Content-Length", 400, POST_WITH("Transfer-Encoding: chunked\r\nContent-Length: 3")
    },
    {"two different Content-Lengths", 400, POST_WITH("Content-Length: 3\r\nContent-Length: 4")},
    {"two equal Content-Lengths", 400, POST_WITH("Content-Length: 3\r\ncontent-length: 3")},
    {"Content-Length list", 400, POST_WITH("Content-Length: 3, 3")},
    {"Content-Length with plus", 400, POST_WITH("Content-Length: +3")},
    {"Content-Length with minus", 400, POST_WITH("Content-Length: -3")},
    {"Content-Length with space", 400, POST_WITH("Content-Length: 3 0")},
    {"Content-Length in hexadecimal", 400, POST_WITH("Content-Length: 0x3")},
    {"Content-Length with fraction", 400, POST_WITH("Content-Length: 3.0")},
    {"empty Content-Length", 400, POST_WITH("Content-Length:")},
    {"Content-Length beyond 2^63", 400, POST_WITH("Content-Length: 9223372036854775808")},
    {"Content-Length of 20 digits", 400, POST_WITH("Content-Length: 00000000000000000003")},
    {"Transfer-Encoding in HTTP/1.0",
     400,
     "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"two Transfer-Encodings", 400, POST_WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")},
    {"chunked twice", 400, POST_WITH("Transfer-Encoding: chunked, chunked")},
    {"chunked not last", 400, POST_WITH("Transfer-Encoding: chunked, gzip")},
    {"chunked with parameter", 400, POST_WITH("Transfer-Encoding: chunked;a=b")},
    {"chunked in quotes", 400, POST_WITH("Transfer-Encoding: \"chunked\"")},
    {"chunked and a comma", 400, POST_WITH("Transfer-Encoding: chunked,")},
    {"comma and chunked", 400, POST_WITH("Transfer-Encoding: ,chunked")},
    {"empty Transfer-Encoding", 400, POST_WITH("Transfer-Encoding:")},
    {"chunked behind a vertical tab", 400, POST_WITH("Transfer-Encoding: \vchunked")},
    {"unknown coding", 501, POST_WITH("Transfer-Encoding: xchunked")},
    {"identity", 501, POST_WITH("Transfer-Encoding: identity")},
    {"gzip before chunked", 501, POST_WITH("Transfer-Encoding: gzip, chunked")},
    {"TRACE with a body", 400, "TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"},
    {"two Content-Types", 400, POST_WITH("Content-Type: a/b\r\nContent-Type: a/c")},
    {"two Authorizations", 400, GET_WITH("Authorization: Basic a\r\nAuthorization: Basic b")},
    {"two X-Request-Ids", 400, GET_WITH("X-Request-Id: a\r\nx-request-id: b")},
    {"two X-Forwarded-Protos", 400, GET_WITH("X-Forwarded-Proto: http\r\nX-Forwarded-Proto: https")},
    {"two X-Real-IPs", 400, GET_WITH("X-Real-IP: 1.2.3.4\r\nX-Real-IP: 1.2.3.5")},
    {"two Expects", 400, POST_WITH("Content-Length: 3\r\nExpect: 100-continue\r\nExpect: 100-continue")},
    {"Connection names Host", 400, GET_WITH("Connection: host")},
    {"Connection names Content-Length",
     400,
     POST_WITH("Content-Length: 3\r\nConnection: close, Content-Length")},
    {"Connection names Transfer-Encoding", 400, POST_WITH("Connection: Transfer-Encoding")},
    {"Connection with a quoted option", 400, GET_WITH("Connection: \"close\"")},
    {"Connection with 17 names", 400, GET_WITH("Connection: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q")},
    {"unknown expectation", 417, POST_WITH("Content-Length: 3\r\nExpect: 200-ok")},
    {"two expectations", 417, POST_WITH("Content-Length: 3\r\nExpect: 100-continue, x")},
};

constexpr std::string_view kAccepted[] = {
    TARGET("/"),
    TARGET("/a/b;c=d?e=%20f&g[]=1&h='!$*+,@:~"),
    TARGET("/?"),
    "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.1\r\nhOsT:\t a.b:8080 \t\r\nX-Empty:\r\nX-Text: \xC3\xA4 \t b\r\n\r\n",
    "GET http://A.b:80/c?d HTTP/1.1\r\nHost: a.B:80\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
    POST_WITH("Content-Length: 3"),
    "POST / HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: Chunked \r\nExpect: "
    "100-Continue\r\n\r\n0\r\n\r\n",
    GET_WITH("Connection: Upgrade, X-Mine\r\nUpgrade: websocket\r\nX-Mine: 1\r\nX_Under: 2\r\nTE: trailers"),
    "abcdefghijklmnopqrstuvwxyz012345 / HTTP/1.1\r\nHost: a\r\n\r\n",
};

TEST_CASE("hostile requests are refused with the stated status, whole and byte by byte") {
    for (const Refusal& refusal : kRefusals) {
        CAPTURE(refusal.name);
        Reader whole;
        CHECK(whole.feed(refusal.bytes) == HeadOutcome::refused);
        CHECK(whole.result.status == refusal.status);
        CHECK_FALSE(whole.result.reason.empty());
        Reader split;
        CHECK(split.feed_each_byte(refusal.bytes) == HeadOutcome::refused);
        CHECK(split.result.status == refusal.status);
    }
}

TEST_CASE("where a hostile request was cut does not change its answer") {
    for (const Refusal& refusal : kRefusals) {
        for (size_t size = 1; size < refusal.bytes.size(); ++size) {
            CAPTURE(refusal.name);
            CAPTURE(size);
            Reader cut;
            if (cut.feed(refusal.bytes.substr(0, size)) == HeadOutcome::need_more) {
                CHECK(cut.feed(refusal.bytes) == HeadOutcome::refused);
            }
            CHECK(cut.result.status == refusal.status);
        }
    }
}

TEST_CASE("a head cut at any byte needs more, and how it is split does not change what is read") {
    for (const std::string_view bytes : kAccepted) {
        CAPTURE(bytes);
        Reader whole;
        REQUIRE(whole.feed(bytes) == HeadOutcome::complete);
        for (size_t size = 0; size < whole.result.length; ++size) {
            Reader cut;
            CHECK(cut.feed(bytes.substr(0, size)) == HeadOutcome::need_more);
            CHECK(cut.feed(bytes) == HeadOutcome::complete);
            CHECK(cut.description() == whole.description());
        }
        Reader split;
        REQUIRE(split.feed_each_byte(bytes) == HeadOutcome::complete);
        CHECK(split.bytes.size() == whole.result.length);
        CHECK(split.description() == whole.description());
    }
}

TEST_CASE("the parts of a request are found") {
    Reader reader;
    REQUIRE(
        reader.feed("\r\nPUT /a/b?c=d?e HTTP/1.1\r\nHost: Www.Foobar.com.:8080\r\nX:  y z "
                    "\r\nContent-Length: 12\r\n\r\nbody") == HeadOutcome::complete
    );
    CHECK(reader.head.method == Method::put);
    CHECK(reader.text(reader.head.method_text) == "PUT");
    CHECK(reader.text(reader.head.target) == "/a/b?c=d?e");
    CHECK(reader.text(reader.head.path) == "/a/b");
    CHECK(reader.text(reader.head.query) == "c=d?e");
    CHECK(reader.text(reader.head.host) == "Www.Foobar.com.:8080");
    CHECK(reader.text(reader.head.host_name) == "Www.Foobar.com");
    CHECK(reader.head.host_case == HostCase::mixed);
    CHECK(reader.head.host_port == 8080);
    CHECK(reader.head.framing == Framing{.kind = FramingKind::length, .length = 12});
    CHECK(reader.result.length == reader.bytes.size() - 4);
    const auto fields = reader.fields.fields();
    REQUIRE(fields.size() == 3);
    CHECK(reader.text(fields[1].name) == "X");
    CHECK(reader.text(fields[1].value) == "y z");
    CHECK(fields[0].name.offset == reader.head.fields_begin);
    CHECK(fields[0].line_end == fields[1].name.offset);
    CHECK(fields[2].line_end + 2 == reader.result.length);
    CHECK(reader.fields.find(FieldId::content_length) == &fields[2]);
    CHECK(reader.fields.find(FieldId::cookie) == nullptr);
}

TEST_CASE("a pipelined request is left alone") {
    Reader reader;
    const std::string first = TARGET("/1");
    REQUIRE(reader.feed(first + "GARBAGE\n\0\n") == HeadOutcome::complete);
    CHECK(reader.result.length == first.size());
}

TEST_CASE("an absolute target gives host and path") {
    Reader reader;
    REQUIRE(
        reader.feed("GET HTTP://foobar.com:81?x HTTP/1.1\r\nHost: FOOBAR.com:81\r\n\r\n") ==
        HeadOutcome::complete
    );
    CHECK(reader.head.form == TargetForm::absolute);
    CHECK(reader.text(reader.head.host_name) == "foobar.com");
    CHECK(reader.head.path.is_empty());
    CHECK(reader.text(reader.head.query) == "x");
    Reader options;
    REQUIRE(options.feed("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n") == HeadOutcome::complete);
    CHECK(options.head.form == TargetForm::asterisk);
}

TEST_CASE("a connection is kept by version and by what Connection says") {
    struct Row {
        std::string_view bytes;
        KeepAlive expected;
    };
    constexpr Row kRows[] = {
        {TARGET("/"), KeepAlive::keep},
        {GET_WITH("Connection: keep-alive"), KeepAlive::keep},
        {GET_WITH("Connection: CLOSE"), KeepAlive::close},
        {GET_WITH("Connection: ,, keep-alive , close"), KeepAlive::close},
        {GET_WITH("Connection: keep-alive\r\nConnection: close"), KeepAlive::close},
        {GET_WITH("Connection: closed"), KeepAlive::keep},
        {"GET / HTTP/1.0\r\n\r\n", KeepAlive::close},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", KeepAlive::keep},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", KeepAlive::close},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.bytes);
        Reader reader;
        REQUIRE(reader.feed(row.bytes) == HeadOutcome::complete);
        CHECK(reader.head.keep_alive == row.expected);
    }
}

TEST_CASE("fields that a proxy must not pass on are marked") {
    Reader reader;
    REQUIRE(
        reader.feed(GET_WITH(
            "Connection: close, x-mine, X-Forwarded-For, te\r\nX-Mine: 1\r\nX_Real_IP: 2\r\nTE: trailers\r\n"
            "Keep-Alive: 3\r\nUpgrade: x\r\nProxy-Connection: a\r\nX-Forwarded-For: b\r\nAccept: */*"
        )) == HeadOutcome::complete
    );
    using enum FieldFate;
    constexpr FieldFate kExpected[] =
        {pass, hop_by_hop, nominated, underscored, hop_by_hop, hop_by_hop, hop_by_hop, hop_by_hop, pass, pass
        };
    const auto fields = reader.fields.fields();
    REQUIRE(fields.size() == std::size(kExpected));
    for (size_t i = 0; i < fields.size(); ++i) {
        CAPTURE(reader.text(fields[i].name));
        CHECK(fields[i].fate == kExpected[i]);
    }
    CHECK(reader.head.upgrade.is_empty());  // Connection did not say upgrade
}

TEST_CASE("upgrade is heard only in HTTP/1.1 and when Connection names it") {
    Reader reader;
    REQUIRE(reader.feed(GET_WITH("Upgrade: websocket\r\nConnection: Upgrade")) == HeadOutcome::complete);
    CHECK(reader.text(reader.head.upgrade) == "websocket");
    Reader old;
    REQUIRE(
        old.feed("GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n") ==
        HeadOutcome::complete
    );
    CHECK(old.head.upgrade.is_empty());
}

TEST_CASE("an expectation without effect is not passed on") {
    Reader body;
    REQUIRE(body.feed(POST_WITH("Content-Length: 3\r\nExpect: 100-continue")) == HeadOutcome::complete);
    CHECK(body.head.expects_continue);
    CHECK(body.fields.find(FieldId::expect)->fate == FieldFate::pass);
    for (const std::string_view bytes :
         {GET_WITH("Expect: 100-continue"),
          POST_WITH("Content-Length: 0\r\nExpect: 100-continue"),
          "POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: anything\r\n\r\nabc"}) {
        CAPTURE(bytes);
        Reader reader;
        REQUIRE(reader.feed(bytes) == HeadOutcome::complete);
        CHECK_FALSE(reader.head.expects_continue);
        CHECK(reader.fields.find(FieldId::expect)->fate == FieldFate::hop_by_hop);
    }
}

TEST_CASE("bounds are kept to the byte, and noticed before the head has ended") {
    const std::string long_path = "/" + std::string(kLimits.uri_max - 1, 'a');
    Reader fits;
    CHECK(fits.feed("GET " + long_path + " HTTP/1.1\r\nHost: a\r\n\r\n") == HeadOutcome::complete);
    Reader too_long;
    CHECK(too_long.feed("GET " + long_path + "a") == HeadOutcome::refused);
    CHECK(too_long.result.status == 414);
    Reader slow;
    CHECK(slow.feed_each_byte("GET /" + std::string(1000, 'a')) == HeadOutcome::refused);
    CHECK(slow.result.status == 414);
    CHECK(slow.bytes.size() < kLimits.uri_max + 64);

    std::string fields = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (uint32_t i = 1; i < kLimits.fields_max; ++i) {
        fields += "X: y\r\n";
    }
    Reader full;
    CHECK(full.feed(fields + "\r\n") == HeadOutcome::complete);
    Reader too_many;
    CHECK(too_many.feed(fields + "X: y\r\n") == HeadOutcome::refused);
    CHECK(too_many.result.status == 431);
    Reader slowly_too_many;
    CHECK(slowly_too_many.feed_each_byte(fields + "X: y\r\n") == HeadOutcome::refused);
    CHECK(slowly_too_many.result.status == 431);

    const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    const std::string exact = begin + std::string(kLimits.head_max - begin.size() - 4, 'x') + "\r\n\r\n";
    Reader large;
    CHECK(large.feed(exact) == HeadOutcome::complete);
    Reader slowly_large;
    CHECK(slowly_large.feed_each_byte(exact) == HeadOutcome::complete);
    Reader too_large;
    CHECK(too_large.feed(begin + "x" + exact.substr(begin.size())) == HeadOutcome::refused);
    CHECK(too_large.result.status == 431);
    Reader slowly_too_large;
    CHECK(
        slowly_too_large.feed_each_byte(begin + std::string(kLimits.head_max, 'x')) == HeadOutcome::refused
    );
    CHECK(slowly_too_large.result.status == 431);
    CHECK(slowly_too_large.bytes.size() == kLimits.head_max);
}

}  // namespace
}  // namespace http
