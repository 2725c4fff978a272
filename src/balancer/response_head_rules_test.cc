// The response head that a client gets: what passes, what is dropped, what is added once, and that it is one
// head.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "balancer/header_rules.h"
#include "core/random.h"
#include "http/text.h"

namespace balancer {
namespace {

using http::FieldId;
using http::FramingKind;
using http::HeadOutcome;

constexpr http::HeadLimits kLimits = {.uri_max = 0, .head_max = 48 << 10, .fields_max = 1000};
constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kDateLine = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
constexpr size_t kRoomBeyond = 256;  // what write_response_head() asks for, behind the received bytes
constexpr std::string_view kVia = "Via: 1.1 trilith\r\n\r\n";

struct Towards {
    uint8_t client_version_minor = 1;
    bool is_closing = false;
    http::Method method = http::Method::get;
};

struct Rewritten {
    Rewritten(std::string_view response, const Towards& towards) : received(response) {
        http::HeadProgress progress;
        read = http::parse_response_head(received, kLimits, progress, fields, head, towards.method);
        if (read.outcome != HeadOutcome::complete) {
            return;
        }
        // As the relay chooses it: a body without an end of its own is chunked where the client knows that.
        framing = head.framing.kind;
        if (framing == FramingKind::chunked || framing == FramingKind::until_close) {
            framing = towards.client_version_minor == 0 ? FramingKind::until_close : FramingKind::chunked;
        }
        auto target = std::make_unique<char[]>(read.length + kRoomBeyond);
        size_t size = write_response_head(
            {
                .base = received.data(),
                .head = head,
                .fields = fields,
                .framing = framing,
                .client_version_minor = towards.client_version_minor,
                .is_closing = towards.is_closing,
                .date = kDate,
            },
            {target.get(), read.length + kRoomBeyond}
        );
        sent.assign(target.get(), size);
    }

    std::string received;
    http::FieldTable fields{1000};
    http::ResponseHead head;
    http::HeadResult read;
    FramingKind framing = FramingKind::none;
    std::string sent;
};

void check_one_head(const Rewritten& response, const Towards& towards) {
    REQUIRE(response.read.outcome == HeadOutcome::complete);
    http::HeadProgress progress;
    http::FieldTable fields(1010);
    http::ResponseHead head;
    constexpr http::HeadLimits kSentLimits = {.uri_max = 0, .head_max = 64 << 10, .fields_max = 1010};
    http::HeadResult read =
        http::parse_response_head(response.sent, kSentLimits, progress, fields, head, towards.method);
    CAPTURE(response.sent.substr(0, 1000));
    CAPTURE(read.reason);
    REQUIRE(read.outcome == HeadOutcome::complete);
    CHECK(read.length == response.sent.size());
    CHECK(head.status == response.head.status);
    CHECK(head.version_minor == 1);
    bool has_body = response.head.framing.kind != FramingKind::none;
    if (has_body) {
        CHECK(head.framing.kind == response.framing);
        CHECK(head.framing.length == response.head.framing.length);
    }
    CHECK_FALSE(fields.present().has_any_of({FieldId::keep_alive, FieldId::proxy_connection, FieldId::te}));
    CHECK_FALSE(
        fields.duplicated().has_any_of({FieldId::connection, FieldId::transfer_encoding, FieldId::upgrade})
    );
}

struct Case {
    std::string_view name;
    std::string_view received;  // without the empty line
    std::string sent;           // without Via and the empty line
    Towards towards{};
};

const Case kCases[] = {
    {"a date of the backend's is kept and none added",
     "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 5\r\n",
     "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 5\r\n"},
    {"a missing date is added",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" + std::string(kDateLine)},
    {"hop-by-hop and nominated fields are dropped",
     "HTTP/1.1 200 OK\r\nDate: D\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: "
     "1\r\nX-Stay: 2\r\nProxy-Connection: x\r\nContent-Length: 0\r\n",
     "HTTP/1.1 200 OK\r\nDate: D\r\nX-Stay: 2\r\nContent-Length: 0\r\n"},
    {"a date that is nominated is dropped, and ours takes its place",
     "HTTP/1.1 200 OK\r\nDate: D\r\nConnection: Date\r\nContent-Length: 0\r\n",
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + std::string(kDateLine)},
    {"underscored names pass",
     "HTTP/1.1 200 OK\r\nDate: D\r\nX_Y: 1\r\nContent-Length: 0\r\n",
     "HTTP/1.1 200 OK\r\nDate: D\r\nX_Y: 1\r\nContent-Length: 0\r\n"},
    {"several cookies pass",
     "HTTP/1.1 200 OK\r\nDate: D\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n",
     "HTTP/1.1 200 OK\r\nDate: D\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n"},
    {"chunked stays chunked",
     "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n",
     "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n"},
    {"until close becomes chunked",
     "HTTP/1.1 200 OK\r\nDate: D\r\nConnection: close\r\n",
     "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n"},
    {"a response of HTTP/1.0 becomes 1.1",
     "HTTP/1.0 200 OK\r\nDate: D\r\nContent-Length: 1\r\n",
     "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 1\r\n"},
    {"chunked is no coding for HTTP/1.0",
     "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n",
     "HTTP/1.1 200 OK\r\nDate: D\r\nConnection: close\r\n",
     {.client_version_minor = 0, .is_closing = true}},
    {"the last response on a connection says so",
     "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 1\r\n",
     "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 1\r\nConnection: close\r\n",
     {.is_closing = true}},
    {"HTTP/1.0 is told that its connection stays",
     "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 1\r\n",
     "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 1\r\nConnection: keep-alive\r\n",
     {.client_version_minor = 0}},
    {"a reason that is empty or long",
     "HTTP/1.1 299 \r\nDate: D\r\nContent-Length: 0\r\n",
     "HTTP/1.1 299 \r\nDate: D\r\nContent-Length: 0\r\n"},
    {"a reason that is missing",
     "HTTP/1.1 299\r\nDate: D\r\nContent-Length: 0\r\n",
     "HTTP/1.1 299 \r\nDate: D\r\nContent-Length: 0\r\n"},
    {"a status of one's own",
     "HTTP/1.1 799 Odd \xFF\r\nDate: D\r\nContent-Length: 0\r\n",
     "HTTP/1.1 799 Odd \xFF\r\nDate: D\r\nContent-Length: 0\r\n"},
    {"not modified keeps its length",
     "HTTP/1.1 304 Not Modified\r\nDate: D\r\nContent-Length: 99\r\nETag: e\r\n",
     "HTTP/1.1 304 Not Modified\r\nDate: D\r\nContent-Length: 99\r\nETag: e\r\n"},
    {"an answer to HEAD keeps its length",
     "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 99\r\n",
     "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 99\r\n",
     {.method = http::Method::head}},
    {"no content has no length",
     "HTTP/1.1 204 No Content\r\nDate: D\r\nContent-Length: 0\r\n",
     "HTTP/1.1 204 No Content\r\nDate: D\r\n"},
    {"an interim response gets no date and no framing",
     "HTTP/1.1 103 Early Hints\r\nLink: x\r\nConnection: close\r\n",
     "HTTP/1.1 103 Early Hints\r\nLink: x\r\n",
     {.is_closing = true}},
    {"continue", "HTTP/1.1 100 Continue\r\n", "HTTP/1.1 100 Continue\r\n"},
    {"a switch of protocols names it",
     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
     "s\r\n",
     "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s\r\nConnection: upgrade\r\nUpgrade: "
     "websocket\r\n"},
    {"a Via before us stays",
     "HTTP/1.1 200 OK\r\nDate: D\r\nVia: 1.1 first\r\nContent-Length: 0\r\n",
     "HTTP/1.1 200 OK\r\nDate: D\r\nVia: 1.1 first\r\nContent-Length: 0\r\n"},
};

TEST_CASE("responses pass as the rules say") {
    for (const Case& row : kCases) {
        CAPTURE(row.name);
        Rewritten response(std::string(row.received) + "\r\n", row.towards);
        REQUIRE(response.read.outcome == HeadOutcome::complete);
        CHECK(response.sent == row.sent + std::string(kVia));
        check_one_head(response, row.towards);
    }
}

TEST_CASE("the promised room is enough for heads that grow as much as they can") {
    std::vector<std::string> heads{
        "HTTP/1.0 200\r\n\r\n",
        "HTTP/1.1 200\r\nTransfer-Encoding:chunked\r\n\r\n",
        "HTTP/1.1 101\r\nUpgrade:x\r\nConnection:upgrade\r\n\r\n",
        "HTTP/1.1 200 " + std::string(48000, 'r') + "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA:" + std::string(48000, 'a') + "\r\n\r\n",
    };
    std::string many = "HTTP/1.1 200\r\n";
    for (int count = 0; count < 999; ++count) {
        many += "a:\r\n";
    }
    heads.push_back(many + "\r\n");
    for (const std::string& head : heads) {
        for (uint8_t version_minor : {uint8_t{0}, uint8_t{1}}) {
            for (bool is_closing : {false, true}) {
                CAPTURE(head.substr(0, 60));
                Towards towards{.client_version_minor = version_minor, .is_closing = is_closing};
                check_one_head(Rewritten(head, towards), towards);
            }
        }
    }
}

std::string draw_head(core::Random& random) {
    static constexpr std::string_view kStatus[] =
        {"100 Continue", "103", "200 OK", "204 No Content", "206 ", "304 Not Modified", "404 x", "500 y"};
    static constexpr std::string_view kNames[] = {
        "Connection",
        "X-Hop",
        "x-hop",
        "Date",
        "Content-Length",
        "Transfer-Encoding",
        "Upgrade",
        "Keep-Alive",
        "Set-Cookie",
        "Via",
        "Server",
        "X_Y",
        "Trailer",
        "TE"
    };
    static constexpr std::string_view kValues[] =
        {"", "1", "x-hop", "close", "upgrade", "keep-alive, X-Hop", "date", "chunked", "12", "\x80"};
    std::string head = std::string(random.below(5) == 0 ? "HTTP/1.0 " : "HTTP/1.1 ") +
                       std::string(kStatus[random.below(std::size(kStatus))]) + "\r\n";
    for (uint64_t lines = random.below(7); lines > 0; --lines) {
        head += std::string(kNames[random.below(std::size(kNames))]) + ": " +
                std::string(kValues[random.below(std::size(kValues))]) + "\r\n";
    }
    return head + "\r\n";
}

TEST_CASE("random responses are sent as exactly one head with one date") {
    core::Random random(77);
    int accepted = 0;
    for (int round = 0; round < 40000; ++round) {
        Towards towards{
            .client_version_minor = static_cast<uint8_t>(random.below(2)),
            .is_closing = random.below(2) == 0,
            .method = random.below(4) == 0 ? http::Method::head : http::Method::get,
        };
        Rewritten response(draw_head(random), towards);
        if (response.read.outcome != HeadOutcome::complete) {
            continue;
        }
        ++accepted;
        check_one_head(response, towards);
        CHECK(response.sent.ends_with(kVia));
        CHECK((response.sent.contains("\r\nDate: ") || response.head.is_interim()));
        CHECK(
            response.sent.contains("\r\nConnection: close\r\n") ==
            (towards.is_closing && !response.head.is_interim())
        );
    }
    CHECK(accepted > 5000);
}

}  // namespace
}  // namespace balancer
