#include "balancer/own_response.h"

#include <initializer_list>

#include "http/status.h"

namespace balancer {

namespace {

// The lines of the head that are always the same, with the numbers in them.
constexpr size_t kFixedBytes = 320;

}  // namespace

// In one piece of memory: a visitor's missing file costs no more than one that is there.
std::string format_own_response(const OwnResponse& response) {
    constexpr std::string_view kIdLine = "request id: ";
    const std::string status = std::to_string(response.status);
    const std::string_view phrase = http::reason_phrase(response.status);
    const std::string_view id = response.request_id;
    const size_t line_of_id = id.empty() ? 0 : kIdLine.size() + id.size() + 1;
    const size_t body_size = status.size() + 1 + phrase.size() + 1 + response.reason.size() + 1 + line_of_id;
    std::string text;
    text.reserve(kFixedBytes + phrase.size() + response.fields.size() + id.size() + body_size);
    const auto append = [&](std::initializer_list<std::string_view> pieces) {
        for (const std::string_view piece : pieces) {
            text += piece;
        }
    };
    append({"HTTP/1.1 ", status, " ", phrase, "\r\nDate: ", response.date});
    append({"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ", std::to_string(body_size)});
    append({"\r\n", response.status == 503 ? kRetryAfter : std::string_view()});
    if (response.status == 405 && response.fields.empty()) {
        append({"Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH\r\n"});
    }
    append({response.fields});
    if (!id.empty()) {
        append({"X-Request-Id: ", id, "\r\n"});
    }
    if (response.closing == Closing::close) {
        append({"Connection: close\r\n"});
    } else if (response.version_minor == 0) {
        append({"Connection: keep-alive\r\n"});
    }
    append({"\r\n"});
    if (!response.is_head) {
        append({status, " ", phrase, "\n", response.reason, "\n"});
        if (!id.empty()) {
            append({kIdLine, id, "\n"});
        }
    }
    return text;
}

}  // namespace balancer
