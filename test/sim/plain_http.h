// A second, simple reader of HTTP/1.1 messages for the simulated peers: what they understand must not come
// from the code under test. Whole messages only, no limits, no tolerance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sim {

struct PlainMessage {
    std::string start_line;
    std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
    std::string body;                                         // without its framing

    // The first field of that lower-case name, or "".
    [[nodiscard]] std::string_view field(std::string_view name) const;

    // The second word of the start line: a request's target or a response's status.
    [[nodiscard]] std::string_view second_word() const;
};

enum class StreamState : uint8_t { open, ended };

// Takes one whole request off the front of `bytes`; nullopt while it is not all there.
[[nodiscard]] std::optional<PlainMessage> take_request(std::string& bytes);

// Takes one whole response, with interim responses before it skipped; `is_head_request` responses have no
// body. One that is framed by the end of the connection is whole when `state` is ended.
enum class BodyRule : uint8_t { may_have_body, answers_head };
[[nodiscard]] std::optional<PlainMessage> take_response(std::string& bytes, BodyRule rule, StreamState state);

// The head at the front of `bytes`, if it is all there and not that of an interim response.
[[nodiscard]] std::optional<PlainMessage> peek_head(std::string_view bytes);

}  // namespace sim
