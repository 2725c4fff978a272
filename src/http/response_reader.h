// Reads the head of an HTTP/1.x response (RFC 9112 sections 4 to 6) as strictly as a request's in all that
// frames it.
//
// Tolerated: HTTP/1.0, a missing reason phrase with or without its space, any status of three digits from
// 100.
// Refused, always with 502: bare CR or LF, folded lines, names that are not tokens, control characters,
// versions other than 1.0 and 1.1; a Content-Length that is not one plain number, a second one, one beside
// Transfer-Encoding; Transfer-Encoding in HTTP/1.0 or other than exactly "chunked"; a Connection header that
// names a framing field; heads over their bounds.
#pragma once

#include "http/head.h"
#include "http/method.h"
#include "http/request_reader.h"

namespace http {

struct ResponseHead {
    uint16_t status = 0;                      // 100 to 999
    uint8_t version_minor = 1;                // 0 or 1
    KeepAlive keep_alive = KeepAlive::close;  // keep: to be used again after the body; never with until_close
    Framing framing;            // none for HEAD, 1xx, 204, 304 and Content-Length: 0 (RFC 9112 section 6.3)
    Slice reason;               // may be empty
    Slice upgrade;              // the Upgrade value when Connection has "upgrade"; else empty
    uint32_t fields_begin = 0;  // where the field lines begin; they end 2 bytes before HeadResult::length

    // 100, 102, 103 …: another head follows. 101 is not interim: it ends HTTP on this connection.
    [[nodiscard]] bool is_interim() const { return status < 200 && status != 101; }
};

// Reads one response head from the start of `bytes`; `request_method` is the method of the request it
// answers. The contract is that of parse_request_head. In a 1xx or 204 answer Content-Length is marked
// hop_by_hop, and a body announced there all the same makes keep_alive close, since its bytes may follow.
[[nodiscard]] HeadResult parse_response_head(
    std::string_view bytes,
    const HeadLimits& limits,
    HeadProgress& progress,
    FieldTable& fields,
    ResponseHead& head,
    Method request_method
);

}  // namespace http
