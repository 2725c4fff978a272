// What the load generator reads of the head of an answer.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace bench {

struct ResponseHead {
    int status = 0;                          // 0: not an HTTP/1.1 response head
    std::optional<uint64_t> content_length;  // nothing where there is none, or no number
};

// Whether an answer of that status ends with its head, whatever it says of a length (RFC 9112 section 6.3).
[[nodiscard]] inline bool has_no_body(int status) { return status == 204 || status == 304; }

// `head`: complete, with the empty line at its end.
[[nodiscard]] inline ResponseHead read_response_head(std::string_view head) {
    constexpr std::string_view kVersion = "HTTP/1.1 ";
    constexpr std::string_view kLength = "content-length:";
    ResponseHead read;
    if (head.starts_with(kVersion) && head.size() >= 12) {
        const char* digits = head.data() + kVersion.size();
        std::from_chars(digits, digits + 3, read.status);
    }
    const auto equal_but_for_case = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    for (size_t end = head.find('\n'); end != std::string_view::npos; end = head.find('\n')) {
        head.remove_prefix(end + 1);
        if (head.size() <= kLength.size() ||
            !std::ranges::equal(head.substr(0, kLength.size()), kLength, equal_but_for_case)) {
            continue;
        }
        const char* digits = head.data() + kLength.size();
        while (*digits == ' ') {
            ++digits;
        }
        uint64_t length = 0;
        if (std::from_chars(digits, head.data() + head.size(), length).ec == std::errc{}) {
            read.content_length = length;
        }
        break;
    }
    return read;
}

}  // namespace bench
