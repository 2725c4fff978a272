// Writes the head of an answer (RFC 9112 section 4).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace trilith::sdk {

// Bytes of all the fields that a program may add to one answer.
inline constexpr size_t kFieldsBytesMax = 32 << 10;
// Room for any head.
inline constexpr size_t kHeadBytesMax = kFieldsBytesMax + 1024;

enum class BodyForm : uint8_t {
    none,         // neither a body nor a length: 204, 304
    length,       // Content-Length
    chunked,      // Transfer-Encoding: chunked
    until_close,  // a stream for a client of HTTP/1.0
};

struct ResponseHead {
    int status = 200;
    std::string_view date{};
    std::string_view content_type{};  // empty: no such field; at most 256 bytes
    std::string_view fields{};        // lines, each with its CRLF
    BodyForm body = BodyForm::length;
    uint64_t length = 0;
    bool must_close = false;
    bool is_old_client = false;  // HTTP/1.0: keeping the connection must be said
};

// `target` has room for kHeadBytesMax. Returns the bytes written.
[[nodiscard]] size_t write_response_head(const ResponseHead& head, std::span<char> target);

}  // namespace trilith::sdk
