// Reads the head of an HTTP/1.1 request (RFC 9112 sections 2 to 6) and refuses whatever two readers could
// understand differently.
//
// Tolerated: one empty line (CRLF) before the request line; HTTP/1.0; obs-text (bytes above 127) in field
// values.
// Refused with 400: bare CR or LF, folded lines, white space before a colon or before the first field, names
// that are not tokens, control characters, invalid targets ("#", non-ASCII and `"<>\^`{|}` too), versions
// other than 1.0 and 1.1; no Host in 1.1, an empty, invalid or second Host, one that differs from the
// authority of an absolute target; authority targets without CONNECT, "*" without OPTIONS; a Content-Length
// that is not one plain number, together with Transfer-Encoding, or a second one; Transfer-Encoding in 1.0,
// repeated, or with chunked not last; a second line of any of kOnceInRequest; a body with TRACE; a Connection
// header that names a field which frames or routes.
// Refused otherwise: 414 and 431 at a bound (as soon as it is passed); 417 another expectation than
// 100-continue; 501 an unknown transfer coding or a method over 32 bytes; 505 another major version (also the
// HTTP/2 preface).
// After a refusal the connection must be closed: the end of the message is not known.
#pragma once

#include "http/head.h"
#include "http/method.h"

namespace http {

// RFC 9112 section 3.2.
enum class TargetForm : uint8_t {
    origin,     // "/path?query"
    absolute,   // "http://host/path?query"; path may be empty and then means "/"
    authority,  // "host:port", only with CONNECT; path and query are empty
    asterisk,   // "*" or an absolute target without path (section 3.2.4), only with OPTIONS; both are empty
};

enum class KeepAlive : uint8_t { close, keep };

enum class HostCase : uint8_t { lower, mixed };

struct RequestHead {
    Method method = Method::other;
    TargetForm form = TargetForm::origin;
    uint8_t version_minor = 1;                // 0 or 1
    KeepAlive keep_alive = KeepAlive::close;  // the client's wish: what Connection and the version say
    HostCase host_case = HostCase::lower;     // mixed: host_name has upper-case letters
    bool expects_continue = false;            // waits for 100; never without a body or in HTTP/1.0
    uint16_t host_port = 0;                   // 0: none was written
    Framing framing;                          // none, length or chunked
    Slice method_text;
    Slice target;            // the whole of it
    Slice path;              // begins with "/", or empty; not decoded
    Slice query;             // without its "?"
    bool has_query = false;  // tells "/a?" from "/a"
    Slice host;       // authority: of an absolute or authority target, else Host; empty only in HTTP/1.0
    Slice host_name;  // without port and without one trailing dot; an IPv6 literal keeps its brackets
    Slice upgrade;    // the Upgrade value, only in HTTP/1.1 and when Connection has "upgrade"; else empty
    uint32_t fields_begin = 0;  // where the field lines begin; they end 2 bytes before HeadResult::length
};

// Reads one request head from the start of `bytes`. Complete: `head` and `fields` are filled, their slices
// count from bytes.data(), leading empty line included, and bytes after the head are left alone. Need_more:
// call again with the same bytes and more behind them and the same `progress`; `head` and `fields` hold
// nothing. Refused: answer and close. Allocates nothing. Cost is linear in the bytes of a head however they
// are split. fields.capacity() >= limits.fields_max.
[[nodiscard]] HeadResult parse_request_head(
    std::string_view bytes,
    const HeadLimits& limits,
    HeadProgress& progress,
    FieldTable& fields,
    RequestHead& head
);

}  // namespace http
