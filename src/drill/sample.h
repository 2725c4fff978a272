// What became of one request or statement of a drill.
#pragma once

#include <cstdint>

#include "core/units.h"

namespace drill {

enum class Kind : uint8_t { request, form, write, read };
inline constexpr size_t kKindCount = 4;

enum class Outcome : uint8_t {
    good,
    refused,     // no connection
    unanswered,  // the connection ended before an answer began
    timed_out,   // the same at the deadline, or no client was free until then
    cut,         // an answer began and did not end
    status,      // an answer of HTTP that says no: 400 and more
    error,       // the database server's, or the SQL router's
    malformed,   // what came is not of the protocol
};

struct Sample {
    Kind kind = Kind::request;
    Outcome outcome = Outcome::good;
    uint16_t code = 0;    // outcome status: that; error: its number
    core::Instant due;    // when it was to be sent; waiting for a free client counts
    core::Instant ended;  // when its outcome was known
};

}  // namespace drill
