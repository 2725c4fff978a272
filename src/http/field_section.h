// What requests, responses and trailers share: field lines, the search for a head's end, Connection,
// Content-Length, Transfer-Encoding. Only the readers in this folder include it.
#pragma once

#include "http/head.h"

namespace http {

// Continues the search for the empty line that ends a head where `progress` left it. Complete: the head may
// be parsed, `length` is its end. Refused: a line feed without its CR (400), a bound is passed (414 in the
// first line, else 431); for requests first_line_max bounds the request line. Bytes behind limits.head_max
// must not be in `bytes`.
[[nodiscard]] HeadResult find_head_end(
    std::string_view bytes,
    const HeadLimits& limits,
    uint32_t first_line_max,
    HeadProgress& progress
);

// Reads the field line that begins at `begin`. Complete: `field` is filled (fate: pass or underscored).
// Refused: a request is answered with 400 and `reason` says why.
[[nodiscard]] HeadOutcome read_field_line(
    std::string_view bytes,
    size_t begin,
    Field& field,
    std::string_view& reason
);

enum class UnderscoredNames : uint8_t { drop, pass };

// Reads field lines from `begin` to the empty line into `fields`, at most fields_max. Complete: `length` is
// the end of the empty line. Marks hop_by_hop.
[[nodiscard]] HeadResult read_fields(
    std::string_view bytes,
    size_t begin,
    uint32_t fields_max,
    UnderscoredNames underscored,
    FieldTable& fields
);

struct ConnectionOptions {
    bool has_close = false;
    bool has_keep_alive = false;
    bool has_upgrade = false;
};

// Reads all Connection lines and marks the fields they name. The reason for a refusal, "" if all is well.
[[nodiscard]] std::string_view read_connection(
    std::string_view bytes,
    FieldTable& fields,
    ConnectionOptions& options
);

enum class CodingVerdict : uint8_t {
    chunked,
    invalid,  // not a list of tokens, or chunked twice or not last: where the body ends cannot be known
    unknown,  // well-formed, but with a coding that we do not decode
};

// Judges the value of Transfer-Encoding: "chunked" alone is understood (RFC 9112 section 6.1).
[[nodiscard]] CodingVerdict judge_transfer_encoding(std::string_view value);

}  // namespace http
