// The heads that the balancer sends: what it passes on, drops and adds, towards backends and towards clients.
//
// Dropped in both directions: hop-by-hop fields and those that Connection nominates (RFC 9110 section 7.6.1),
// and from requests fields with an underscore in their name. Forwarded headers (Forwarded, X-Forwarded-*,
// X-Real-IP) are believed and continued when the client is in `trusted_proxies`; from all others they are
// dropped and written anew.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/head.h"
#include "http/request_reader.h"
#include "http/response_reader.h"
#include "net/buffer_pool.h"

namespace balancer {

enum class Trust : uint8_t { outside, trusted_proxy };

struct RequestHeadFacts {
    const char* base;  // the received head's first byte
    const http::RequestHead& head;
    const http::FieldTable& fields;
    std::string_view path;            // as routed; "*" for OPTIONS of the whole server
    std::string_view client_address;  // without port
    Trust trust;
    std::string_view own_host;        // for Host when an HTTP/1.0 client gave none
    std::string_view upgrade;         // the protocols offered to the backend; empty: none
    std::string_view new_request_id;  // used unless the client gave a proper one
};

// Where things lie in the head that was written, for logs and repeated sending.
struct WrittenRequestHead {
    uint32_t size = 0;
    http::Slice method;
    http::Slice target;
    http::Slice host;
    http::Slice request_id;
    http::Slice user_agent;
    http::Slice referer;
};

// An upper bound of what write_request_head() writes for a head of `length` bytes.
[[nodiscard]] size_t request_head_room(uint32_t length);

// Writes the head for the backend, HTTP/1.1, to `target`, which has request_head_room(length) bytes.
[[nodiscard]] WrittenRequestHead write_request_head(const RequestHeadFacts& facts, std::span<char> target);

// A proper request id: 1 to 128 of A-Z a-z 0-9 . _ -
[[nodiscard]] bool is_request_id(std::string_view text);

struct ResponseHeadFacts {
    const char* base;
    const http::ResponseHead& head;
    const http::FieldTable& fields;
    http::FramingKind framing;  // towards the client
    uint8_t client_version_minor;
    bool is_closing;        // the client's connection ends with this response
    std::string_view date;  // HTTP-date, written where the backend gave none (RFC 9110 section 6.6.1)
};

// Writes the head for the client to `target`, which has 256 bytes more than the received head, and returns
// its size. Interim and 101 responses too.
[[nodiscard]] size_t write_response_head(const ResponseHeadFacts& facts, std::span<char> target);

}  // namespace balancer
