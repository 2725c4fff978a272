// Our own answers: each is one whole response that any client can read to its end.
#include "balancer/own_response.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "http/response_reader.h"

namespace balancer {
namespace {

constexpr uint16_t kStatuses[] = {400, 404, 405, 408, 413, 414, 417, 431, 500, 501, 502, 503, 504, 505};
constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

struct Read {
    http::HeadResult result;
    http::ResponseHead head;
    http::FieldTable fields{32};
    std::string_view body;
    const char* base = nullptr;

    [[nodiscard]] std::string_view value(http::FieldId id) const {
        const http::Field* field = fields.find(id);
        return field == nullptr ? std::string_view("(none)") : field->value.in(base);
    }
};

void read(std::string_view text, http::Method method, Read& into) {
    http::HeadProgress progress;
    into.base = text.data();
    into.result = http::parse_response_head(
        text,
        {.uri_max = 0, .head_max = 8192, .fields_max = 32},
        progress,
        into.fields,
        into.head,
        method
    );
    REQUIRE(into.result.outcome == http::HeadOutcome::complete);
    into.body = text.substr(into.result.length);
}

TEST_CASE("every status gives one response whose length is what it says") {
    for (uint16_t status : kStatuses) {
        CAPTURE(status);
        std::string text =
            format_own_response({.status = status, .reason = "a reason", .request_id = "id-1", .date = kDate}
            );
        Read response;
        read(text, http::Method::get, response);
        CHECK(response.head.status == status);
        CHECK(response.head.framing == http::Framing{http::FramingKind::length, response.body.size()});
        CHECK(response.body.contains("a reason\n"));
        CHECK(response.body.contains("request id: id-1\n"));
        CHECK(response.body.starts_with(std::to_string(status) + " "));
        CHECK(response.value(http::FieldId::date) == kDate);
        CHECK(response.value(http::FieldId::x_request_id) == "id-1");
        CHECK(response.value(http::FieldId::content_type) == "text/plain; charset=utf-8");
        CHECK(response.value(http::FieldId::retry_after) == (status == 503 ? "1" : "(none)"));
        CHECK(text.contains("\r\nAllow: ") == (status == 405));
        CHECK_FALSE(
            response.fields.duplicated().has_any_of({http::FieldId::date, http::FieldId::content_length})
        );
    }
}

TEST_CASE("an answer to HEAD has the same head and no body") {
    OwnResponse response{.status = 503, .reason = "a reason", .request_id = {}, .date = kDate};
    std::string with_body = format_own_response(response);
    response.is_head = true;
    std::string without = format_own_response(response);
    Read read_head;
    read(without, http::Method::head, read_head);
    CHECK(read_head.body.empty());
    CHECK(with_body.starts_with(without));
    CHECK(with_body.size() > without.size());
}

TEST_CASE("what becomes of the connection is said as the client's version needs it") {
    struct Case {
        Closing closing;
        uint8_t version_minor;
        std::string_view connection;
        http::KeepAlive understood;
    };
    constexpr Case kCases[] = {
        {Closing::close, 1, "close", http::KeepAlive::close},
        {Closing::close, 0, "close", http::KeepAlive::close},
        {Closing::keep_alive, 1, "(none)", http::KeepAlive::keep},
        {Closing::keep_alive, 0, "keep-alive", http::KeepAlive::keep},
    };
    for (const Case& row : kCases) {
        std::string text = format_own_response(
            {.status = 404,
             .reason = "r",
             .closing = row.closing,
             .request_id = {},
             .date = kDate,
             .version_minor = row.version_minor}
        );
        Read response;
        read(text, http::Method::get, response);
        CHECK(response.value(http::FieldId::connection) == row.connection);
        CHECK(response.head.keep_alive == row.understood);
    }
}

TEST_CASE("without a request id none is written") {
    std::string text = format_own_response({.status = 400, .reason = "r", .request_id = {}, .date = kDate});
    CHECK_FALSE(text.contains("equest-"));
    CHECK_FALSE(text.contains("request id"));
}

}  // namespace
}  // namespace balancer
