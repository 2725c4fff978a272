// The request head that a backend gets: what passes, what is dropped, what is written anew, and that it is
// one head.
#include "balancer/header_rules.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.h"
#include "http/text.h"

namespace balancer {
namespace {

using http::FieldId;
using http::HeadOutcome;

constexpr http::HeadLimits kLimits = {.uri_max = 48 << 10, .head_max = 48 << 10, .fields_max = 1000};
constexpr std::string_view kNewId = "0123456789abcdef0123456789abcdef";

struct Client {
    std::string_view address = "192.0.2.7";
    Trust trust = Trust::outside;
    bool offers_upgrade = true;  // what the client wishes to switch to is offered to the backend
};

// One request as a client sent it, and what becomes of it.
struct Rewritten {
    Rewritten(std::string_view request, const Client& client) : received(request) {
        http::HeadProgress progress;
        read = http::parse_request_head(received, kLimits, progress, fields, head);
        if (read.outcome != HeadOutcome::complete) {
            return;
        }
        std::string_view path = head.path.in(received.data());
        bool is_asterisk = head.form == http::TargetForm::asterisk;
        // Exactly the room that is promised to be enough: AddressSanitizer sees the first byte behind it.
        auto target = std::make_unique<char[]>(request_head_room(read.length));
        written = write_request_head(
            {
                .base = received.data(),
                .head = head,
                .fields = fields,
                .path = is_asterisk    ? "*"
                        : path.empty() ? "/"
                                       : path,
                .client_address = client.address,
                .trust = client.trust,
                .own_host = "localhost",
                .upgrade = client.offers_upgrade ? head.upgrade.in(received.data()) : std::string_view{},
                .new_request_id = kNewId,
            },
            {target.get(), request_head_room(read.length)}
        );
        sent.assign(target.get(), written.size);
    }

    [[nodiscard]] std::string_view text(http::Slice slice) const { return slice.in(sent.data()); }

    std::string received;
    http::FieldTable fields{1000};
    http::RequestHead head;
    http::HeadResult read;
    WrittenRequestHead written;
    std::string sent;
};

// The lines of a head without its last, empty one.
std::vector<std::string_view> lines_of(std::string_view head) {
    std::vector<std::string_view> lines;
    for (size_t end = head.find("\r\n"); end != std::string_view::npos && end > 0; end = head.find("\r\n")) {
        lines.push_back(head.substr(0, end));
        head.remove_prefix(end + 2);
    }
    return lines;
}

// What stands between the Host line, which is ours, and X-Forwarded-For, where the lines of our own begin.
std::vector<std::string_view> passed_lines(std::string_view head) {
    std::vector<std::string_view> lines = lines_of(head);
    size_t end = 2;
    while (end < lines.size() && !lines[end].starts_with("X-Forwarded-For: ")) {
        ++end;
    }
    return {lines.begin() + 2, lines.begin() + static_cast<ptrdiff_t>(end)};
}

size_t count_lines(std::string_view head, std::string_view name) {
    size_t count = 0;
    for (std::string_view line : lines_of(head)) {
        count += http::equals_ignoring_case(line.substr(0, name.size()), name) &&
                 line.substr(name.size()).starts_with(':');
    }
    return count;
}

std::string_view line_of(std::string_view head, std::string_view name) {
    for (std::string_view line : lines_of(head)) {
        if (line.starts_with(name) && line.substr(name.size()).starts_with(": ")) {
            return line.substr(name.size() + 2);
        }
    }
    return "(none)";
}

// Reads back what was sent: it must be exactly one head, with the framing of the request, and the slices must
// lie where they say.
void check_one_head(const Rewritten& request) {
    REQUIRE(request.read.outcome == HeadOutcome::complete);
    CHECK(request.written.size <= request_head_room(request.read.length));
    http::HeadProgress progress;
    http::FieldTable fields(1010);
    http::RequestHead head;
    constexpr http::HeadLimits kSentLimits = {.uri_max = 64 << 10, .head_max = 64 << 10, .fields_max = 1010};
    http::HeadResult read = http::parse_request_head(request.sent, kSentLimits, progress, fields, head);
    CAPTURE(request.sent.substr(0, 1000));
    CAPTURE(read.reason);
    REQUIRE(read.outcome == HeadOutcome::complete);
    CHECK(read.length == request.sent.size());
    CHECK(head.version_minor == 1);
    CHECK(head.framing == request.head.framing);
    CHECK(head.method_text.in(request.sent.data()) == request.text(request.written.method));
    CHECK(head.target.in(request.sent.data()) == request.text(request.written.target));
    CHECK(fields.find(FieldId::host)->value.in(request.sent.data()) == request.text(request.written.host));
    CHECK(
        fields.find(FieldId::x_request_id)->value.in(request.sent.data()) ==
        request.text(request.written.request_id)
    );
    for (std::string_view once :
         {"Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Request-Id"}) {
        CHECK(count_lines(request.sent, once) == 1);
    }
    // Of several lines the last one is what the log shows.
    auto check_slice = [&](FieldId id, http::Slice slice) {
        std::string_view last;
        for (const http::Field& field : fields.fields()) {
            last = field.id == id ? field.value.in(request.sent.data()) : last;
        }
        CHECK(request.text(slice) == last);
    };
    check_slice(FieldId::user_agent, request.written.user_agent);
    check_slice(FieldId::referer, request.written.referer);
    for (const http::Field& field : fields.fields()) {
        CHECK(field.fate != http::FieldFate::underscored);
        CHECK(field.fate != http::FieldFate::nominated);
    }
}

TEST_CASE("a plain request of an outside client is sent with our lines behind its own") {
    Rewritten request(
        "GET /v1/a?b=c HTTP/1.1\r\nHost: API.foobar.com:8101\r\nUser-Agent: curl/8\r\nAccept: "
        "*/*\r\nReferer: http://x/\r\n\r\n",
        {}
    );
    check_one_head(request);
    CHECK(
        request.sent ==
        "GET /v1/a?b=c HTTP/1.1\r\n"
        "Host: API.foobar.com:8101\r\n"
        "User-Agent: curl/8\r\n"
        "Accept: */*\r\n"
        "Referer: http://x/\r\n"
        "X-Forwarded-For: 192.0.2.7\r\n"
        "X-Forwarded-Proto: http\r\n"
        "X-Forwarded-Host: API.foobar.com:8101\r\n"
        "Forwarded: for=192.0.2.7;host=\"API.foobar.com:8101\";proto=http\r\n"
        "X-Request-Id: 0123456789abcdef0123456789abcdef\r\n"
        "Via: 1.1 trilith\r\n"
        "\r\n"
    );
    CHECK(request.text(request.written.method) == "GET");
    CHECK(request.text(request.written.target) == "/v1/a?b=c");
    CHECK(request.text(request.written.host) == "API.foobar.com:8101");
    CHECK(request.text(request.written.user_agent) == "curl/8");
    CHECK(request.text(request.written.referer) == "http://x/");
    CHECK(request.text(request.written.request_id) == kNewId);
}

struct Passing {
    std::string_view name;
    std::string_view lines;   // behind Host
    std::string_view passed;  // of them, each with its CRLF
};

constexpr Passing kPassing[] = {
    {"nothing", "", ""},
    {"order and spelling are kept", "b: 2\r\nA:1\r\nb:   3  \r\n", "b: 2\r\nA:1\r\nb:   3  \r\n"},
    {"an empty value", "X-Empty:\r\n", "X-Empty:\r\n"},
    {"cookies in several lines", "Cookie: a=1\r\nCookie: b=2\r\n", "Cookie: a=1\r\nCookie: b=2\r\n"},
    {"keep-alive and its parameters",
     "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nA: 1\r\n",
     "A: 1\r\n"},
    {"close", "A: 1\r\nConnection: close\r\n", "A: 1\r\n"},
    {"proxy-connection", "Proxy-Connection: keep-alive\r\n", ""},
    {"credentials for a proxy",
     "Proxy-Authorization: Basic eDp5\r\nAuthorization: Basic eDp5\r\n",
     "Authorization: Basic eDp5\r\n"},
    {"te", "TE: trailers\r\nConnection: te\r\n", ""},
    {"a nominated field", "Connection: X-Hop, close\r\nX-Hop: 1\r\nX-Stay: 2\r\n", "X-Stay: 2\r\n"},
    {"a field nominated behind it",
     "x-hop: 1\r\nX-Stay: 2\r\nX-HOP: 3\r\nConnection: x-Hop\r\n",
     "X-Stay: 2\r\n"},
    {"a nominated user agent", "User-Agent: curl\r\nConnection: user-agent\r\n", ""},
    {"trust is not nominated away",
     "Connection: authorization\r\nAuthorization: x\r\n",
     "Authorization: x\r\n"},
    {"underscores", "X_Real_IP: 1\r\nX-Fine: 2\r\nContent_Length: 3\r\n_: 4\r\n", "X-Fine: 2\r\n"},
    {"a length", "Content-Length: 12\r\n", "Content-Length: 12\r\n"},
    {"a coding is written anew",
     "A: 1\r\nTransfer-Encoding:  Chunked\r\nTrailer: T\r\n",
     "A: 1\r\nTrailer: T\r\nTransfer-Encoding: chunked\r\n"},
    {"upgrade",
     "Connection: Upgrade\r\nUpgrade: websocket\r\nA: 1\r\n",
     "A: 1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"},
    {"upgrade without Connection", "Upgrade: websocket\r\n", ""},
    {"a Via before us", "Via: 1.0 first\r\n", "Via: 1.0 first\r\n"},
    {"expect",
     "Content-Length: 1\r\nExpect: 100-continue\r\n",
     "Content-Length: 1\r\nExpect: 100-continue\r\n"},
    {"forged forwarded headers",
     "X-Forwarded-For: 1.1.1.1\r\nA: 1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: "
     "evil\r\nX-Forwarded-Port: 443\r\n"
     "X-Real-IP: 2.2.2.2\r\nForwarded: for=3.3.3.3\r\nx-forwarded-for: 4.4.4.4\r\n",
     "A: 1\r\n"},
};

TEST_CASE("lines of a request pass or are dropped as the rules say") {
    for (const Passing& row : kPassing) {
        CAPTURE(row.name);
        Rewritten request("POST / HTTP/1.1\r\nHost: h\r\n" + std::string(row.lines) + "\r\n", {});
        check_one_head(request);
        std::string passed;
        for (std::string_view line : passed_lines(request.sent)) {
            passed += std::string(line) + "\r\n";
        }
        CHECK(passed == row.passed);
        CHECK(line_of(request.sent, "X-Forwarded-For") == "192.0.2.7");
        CHECK(line_of(request.sent, "X-Forwarded-Proto") == "http");
        CHECK(line_of(request.sent, "X-Forwarded-Host") == "h");
        CHECK(line_of(request.sent, "Forwarded") == "for=192.0.2.7;host=\"h\";proto=http");
        CHECK(request.sent.ends_with("\r\nVia: 1.1 trilith\r\n\r\n"));
    }
}

TEST_CASE("what the balancer does not offer to switch to is not mentioned") {
    Rewritten request(
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        {.offers_upgrade = false}
    );
    check_one_head(request);
    CHECK(passed_lines(request.sent).empty());
}

struct Forwarding {
    std::string_view lines;
    std::string_view forwarded_for;
    std::string_view proto;
    std::string_view host;
    std::string_view forwarded;
};

constexpr Forwarding kForwarding[] = {
    {"", "192.0.2.7", "http", "h", "for=192.0.2.7;host=\"h\";proto=http"},
    {"X-Forwarded-For: 203.0.113.1\r\n",
     "203.0.113.1, 192.0.2.7",
     "http",
     "h",
     "for=192.0.2.7;host=\"h\";proto=http"},
    {"X-Forwarded-For: a, b\r\nX: 1\r\nx-forwarded-for: c\r\n",
     "a, b, c, 192.0.2.7",
     "http",
     "h",
     "for=192.0.2.7;host=\"h\";proto=http"},
    {"X-Forwarded-For:\r\n", "192.0.2.7", "http", "h", "for=192.0.2.7;host=\"h\";proto=http"},
    {"X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.com\r\n",
     "192.0.2.7",
     "https",
     "shop.com",
     "for=192.0.2.7;host=\"h\";proto=http"},
    {"X-Forwarded-Proto:\r\nX-Forwarded-Host:\r\n",
     "192.0.2.7",
     "http",
     "h",
     "for=192.0.2.7;host=\"h\";proto=http"},
    {"Forwarded: for=1.2.3.4;proto=https\r\nForwarded: for=_x\r\n",
     "192.0.2.7",
     "http",
     "h",
     "for=1.2.3.4;proto=https, for=_x, for=192.0.2.7;host=\"h\";proto=http"},
    {"Connection: x-forwarded-for, forwarded\r\nX-Forwarded-For: a\r\nForwarded: for=a\r\n",
     "a, 192.0.2.7",
     "http",
     "h",
     "for=a, for=192.0.2.7;host=\"h\";proto=http"},
};

TEST_CASE("what a trusted proxy forwarded is continued") {
    for (const Forwarding& row : kForwarding) {
        CAPTURE(row.lines);
        Rewritten request(
            "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(row.lines) + "\r\n",
            {.trust = Trust::trusted_proxy}
        );
        check_one_head(request);
        CHECK(line_of(request.sent, "X-Forwarded-For") == row.forwarded_for);
        CHECK(line_of(request.sent, "X-Forwarded-Proto") == row.proto);
        CHECK(line_of(request.sent, "X-Forwarded-Host") == row.host);
        CHECK(line_of(request.sent, "Forwarded") == row.forwarded);
    }
    Rewritten request(
        "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Port: 443\r\nX-Real-IP: 1.2.3.4\r\n\r\n",
        {.trust = Trust::trusted_proxy}
    );
    CHECK(
        passed_lines(request.sent) ==
        std::vector<std::string_view>{"X-Forwarded-Port: 443", "X-Real-IP: 1.2.3.4"}
    );
}

TEST_CASE("an IPv6 client is bracketed and quoted in Forwarded alone") {
    Rewritten request("GET / HTTP/1.1\r\nHost: [::1]:8101\r\n\r\n", {.address = "2001:db8::7"});
    check_one_head(request);
    CHECK(line_of(request.sent, "X-Forwarded-For") == "2001:db8::7");
    CHECK(line_of(request.sent, "Forwarded") == "for=\"[2001:db8::7]\";host=\"[::1]:8101\";proto=http");
    CHECK(line_of(request.sent, "X-Forwarded-Host") == "[::1]:8101");
}

TEST_CASE("a proper request id is taken from anyone and any other is replaced") {
    const std::string longest(128, 'a');
    for (std::string_view proper :
         {std::string_view("a"), std::string_view("Az09._-"), std::string_view(longest)}) {
        CAPTURE(proper);
        CHECK(is_request_id(proper));
        Rewritten request(
            "GET / HTTP/1.1\r\nHost: h\r\nx-request-ID: " + std::string(proper) + "\r\n\r\n",
            {}
        );
        check_one_head(request);
        CHECK(request.text(request.written.request_id) == proper);
    }
    const std::string too_long(129, 'a');
    for (std::string_view improper :
         {std::string_view(""),
          std::string_view("a b"),
          std::string_view("a,b"),
          std::string_view("a\tb"),
          std::string_view("\"a\""),
          std::string_view("a/b"),
          std::string_view("\xC3\xBC"),
          std::string_view(too_long)}) {
        CAPTURE(improper);
        CHECK_FALSE(is_request_id(improper));
        Rewritten request(
            "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: " + std::string(improper) + "\r\n\r\n",
            {}
        );
        check_one_head(request);
        CHECK(request.text(request.written.request_id) == kNewId);
    }
}

TEST_CASE("targets of every form become what a backend understands") {
    struct Case {
        std::string_view first_lines;
        std::string_view sent;
        std::string_view host;
    };
    constexpr Case kCases[] = {
        {"GET /a HTTP/1.1\r\nHost: h\r\n", "GET /a HTTP/1.1", "h"},
        {"GET /a? HTTP/1.1\r\nHost: h\r\n", "GET /a? HTTP/1.1", "h"},
        {"GET http://h:81/a?q HTTP/1.1\r\nHost: h:81\r\n", "GET /a?q HTTP/1.1", "h:81"},
        {"GET http://h HTTP/1.1\r\nHost: h\r\n", "GET / HTTP/1.1", "h"},
        {"GET http://h?q=1 HTTP/1.1\r\nHost: h\r\n", "GET /?q=1 HTTP/1.1", "h"},
        {"OPTIONS * HTTP/1.1\r\nHost: h\r\n", "OPTIONS * HTTP/1.1", "h"},
        {"\r\nGET / HTTP/1.1\r\nHost: h\r\n", "GET / HTTP/1.1", "h"},
        {"GET / HTTP/1.0\r\n", "GET / HTTP/1.1", "localhost"},
        {"GET /x HTTP/1.0\r\nHost: old\r\n", "GET /x HTTP/1.1", "old"},
        {"BREW /pot HTTP/1.1\r\nHost: h\r\n", "BREW /pot HTTP/1.1", "h"},
    };
    for (const Case& row : kCases) {
        CAPTURE(row.first_lines);
        Rewritten request(std::string(row.first_lines) + "User-Agent: u\r\n\r\n", {});
        check_one_head(request);
        CHECK(lines_of(request.sent)[0] == row.sent);
        CHECK(line_of(request.sent, "Host") == row.host);
        CHECK(line_of(request.sent, "X-Forwarded-Host") == row.host);
        CHECK(request.text(request.written.user_agent) == "u");
    }
}

// Heads that make the most of each rule that writes more than it takes.
TEST_CASE("the promised room is enough for heads that grow as much as they can") {
    std::string longest_host = std::string(63, 'h') + "." + std::string(63, 'o') + "." +
                               std::string(63, 's') + "." + std::string(63, 't');
    REQUIRE(longest_host.size() == 255);
    const std::string host = longest_host + ".:65535";
    const std::string_view longest_address = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255";
    std::vector<std::string> heads{
        "G / HTTP/1.0\r\n\r\n",
        "G http://" + host + " HTTP/1.0\r\n\r\n",
        "G http://" + host + " HTTP/1.1\r\nHost:" + host + "\r\n\r\n",
        "G / HTTP/1.1\r\nHost:" + host + "\r\n\r\n",
        "G / HTTP/1.1\r\nHost:" + host + "\r\nUpgrade:x\r\nConnection:upgrade\r\nX-Request-Id:\r\n\r\n",
        "G / HTTP/1.1\r\nHost:" + host + "\r\nTransfer-Encoding:chunked\r\n\r\n",
    };
    for (std::string_view line :
         {"X-Forwarded-For:a\r\n", "Forwarded:a\r\n", "a:\r\n", "Cookie:\r\n", "A_:\r\n", "Via:\r\n"}) {
        std::string head = "G / HTTP/1.1\r\nHost:" + host + "\r\n";
        for (int count = 0; count < 999; ++count) {
            head += line;
        }
        heads.push_back(head + "\r\n");
    }
    heads.push_back("G / HTTP/1.1\r\nHost:h\r\nX-Forwarded-For:" + std::string(48000, 'a') + "\r\n\r\n");
    heads.push_back("G /" + std::string(48000, 'p') + " HTTP/1.1\r\nHost:h\r\n\r\n");
    for (const std::string& head : heads) {
        for (Trust trust : {Trust::outside, Trust::trusted_proxy}) {
            CAPTURE(head.substr(0, 60));
            check_one_head(Rewritten(head, {.address = longest_address, .trust = trust}));
        }
    }
}

// Draws lines from what has rules and what has none.
std::string draw_head(core::Random& random) {
    static constexpr std::string_view kNames[] = {
        "Connection",
        "connection",
        "X-Hop",
        "x-hop",
        "X-Forwarded-For",
        "Forwarded",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "X-Real-IP",
        "X-Request-Id",
        "User-Agent",
        "Referer",
        "Cookie",
        "X_Under",
        "Keep-Alive",
        "Upgrade",
        "TE",
        "Trailer",
        "Via",
        "Date",
        "Content-Length",
        "Transfer-Encoding",
        "Expect",
        "Accept",
        "Range",
        "Proxy-Authorization"
    };
    static constexpr std::string_view kValues[] = {
        "",
        "1",
        "x-hop",
        "close",
        "upgrade",
        "keep-alive, X-Hop",
        "chunked",
        "websocket",
        "a, b",
        "user-agent",
        "100-continue",
        " spaced  out ",
        "\x80\xFF",
        "https"
    };
    std::string head = random.below(4) == 0 ? "GET http://h.com/p HTTP/1.1\r\nHost: h.com\r\n"
                                            : "PUT /p?q HTTP/1.1\r\nHost: h.com\r\n";
    for (uint64_t lines = random.below(8); lines > 0; --lines) {
        head += std::string(kNames[random.below(std::size(kNames))]) + ":" +
                std::string(kValues[random.below(std::size(kValues))]) + "\r\n";
    }
    return head + "\r\n";
}

TEST_CASE("random heads are sent as exactly one head, whatever they hold") {
    core::Random random(99);
    int accepted = 0;
    for (int round = 0; round < 40000; ++round) {
        std::string head = draw_head(random);
        Trust trust = random.below(2) == 0 ? Trust::outside : Trust::trusted_proxy;
        Rewritten request(head, {.address = "2001:db8::1", .trust = trust});
        if (request.read.outcome == HeadOutcome::complete) {
            ++accepted;
            check_one_head(request);
            for (std::string_view never : {"X_Under", "TE", "Keep-Alive", "Proxy-Authorization"}) {
                CHECK(count_lines(request.sent, never) == 0);
            }
        }
    }
    CHECK(accepted > 5000);
}

}  // namespace
}  // namespace balancer
