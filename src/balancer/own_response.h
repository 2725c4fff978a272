// The answers that the balancer gives by itself: refusals and failures, in a form that people and programs
// can read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace balancer {

enum class Closing : uint8_t { keep_alive, close };

struct OwnResponse {
    uint16_t status;
    std::string_view reason;  // one sentence for the client; never a secret, never what the client sent
    Closing closing = Closing::close;
    std::string_view request_id;  // empty: none yet
    std::string_view fields{};    // further header fields, each with its CRLF
    std::string_view date;        // HTTP-date
    bool is_head = false;         // an answer to HEAD: no body
    uint8_t version_minor = 1;    // of the client: HTTP/1.0 must be told that the connection stays
};

// With every 503 of ours: the next attempt may find what this one did not.
inline constexpr std::string_view kRetryAfter = "Retry-After: 1\r\n";

// The whole response. 503 carries Retry-After, 405 and 501 no more than their reason. Body: text/plain.
[[nodiscard]] std::string format_own_response(const OwnResponse& response);

}  // namespace balancer
