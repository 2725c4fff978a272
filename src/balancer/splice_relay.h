// Moves a large body of known length from the backend to the client through a pipe, without copying it.
#pragma once

#include "balancer/exchange.h"
#include "runtime/task.h"

namespace balancer {

// Smaller rests are copied: a pipe costs two system calls more (docs/decisions/0003-splice-large-bodies.md).
inline constexpr uint64_t kSpliceMin = 64 << 10;

enum class SpliceEnd : uint8_t {
    moved,        // all that remained of the body
    unavailable,  // nothing was moved: copy instead
    settled,      // a side failed; the exchange says how
};

// `backend`'s unread bytes are all in the socket: its read buffer is empty.
[[nodiscard]] runtime::Task<SpliceEnd> splice_body(
    Exchange& exchange,
    net::Socket& backend,
    http::BodyReader& body,
    core::Instant response_deadline
);

}  // namespace balancer
