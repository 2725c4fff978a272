// Whether a request that failed at a backend may be sent again, and where.
//
// The rule: a request that no backend can have acted on goes on; one that may be repeated (RFC 9110 §9.2.2)
// and has had no answer byte goes on; anything else is answered 502 or 504 once and is never sent twice.
//
// A stale pooled connection is never the client's problem. A backend may close an idle connection in the
// instant in which we write to it, and for a POST the bytes written then do not tell whether it was carried
// out. So the sender must:
//   1. look for an end of stream or stray bytes (a non-blocking read of one byte, MSG_PEEK) right before it
//      writes to a pooled connection, and take another one if there is any: then nothing was sent and nothing
//      is asked here;
//   2. send a request of MethodClass::other only over a pooled connection that was idle for at most
//      kYoungIdleMax, else over a fresh one: backends close connections after seconds of idleness, so a busy
//      pool keeps its connections and a quiet one pays one connect;
//   3. when the connection fails before the first answer byte, report Sent::unread where that is certain: the
//      stream ended (recv() gave 0), no call on it (SO_ERROR included) gave ECONNRESET, and SIOCOUTQ still
//      counts every byte written of this request as unacknowledged. The peer's FIN acknowledges all that it
//      had received when it closed, so what it does not acknowledge was never in reach of the program. A
//      reset proves nothing: it is sent by a program that read a part, too. In any other case, or where
//      SIOCOUTQ cannot be asked: Sent::some.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/units.h"

namespace upstream {

inline constexpr core::Duration kYoungIdleMax = std::chrono::seconds(1);

// How much of the request has left us on the connection that failed.
enum class Sent : uint8_t {
    nothing,  // no byte: the connection was not made, or the first write failed
    unread,   // bytes were written, and the backend's program has certainly read none of them (see 3 above)
    some,     // bytes were written that the backend may have acted on; whether a part or all of them makes no
              // difference
};

enum class MethodClass : uint8_t {
    safe,        // RFC 9110 §9.2.1: GET, HEAD, OPTIONS, TRACE
    idempotent,  // §9.2.2, and not safe: PUT, DELETE
    other,       // POST, PATCH, CONNECT, an upgrade, and every method that we do not know
};

enum class Answer : uint8_t { none, begun };

enum class Connection : uint8_t { fresh, reused };

enum class RequestBody : uint8_t {
    replayable,  // none, or every byte taken from the client so far is still held
    gone,        // a byte was let go after it was sent
};

enum class Failure : uint8_t {
    connect,    // refused, unreachable, or not connected in time: nothing was sent
    lost,       // closed or reset by the backend, or a write that failed
    timed_out,  // connected, and no answer in time
    malformed,  // an answer that HTTP does not allow
};

struct RetryFacts {
    uint32_t attempt = 1;       // backends that were asked so far, this one included; from 1
    uint32_t attempts_max = 1;  // 1 + limits.retries
    Sent sent = Sent::nothing;
    MethodClass method = MethodClass::other;
    Answer answer = Answer::none;
    Connection connection = Connection::fresh;
    RequestBody body = RequestBody::replayable;
    Failure failure = Failure::connect;
};

enum class RetryTarget : uint8_t {
    none,              // answer the client: 504 for a timeout, else 502
    fresh_connection,  // the same backend over a new connection: the pooled one was stale. Not an attempt,
                       // not a retry of the budget; a fresh connection cannot be stale, so it happens once an
                       // attempt at most
    other_backend,  // attempt + 1, if the RetryBudget has one and a backend is left that was not asked; else
                    // as `none`
};

struct RetryDecision {
    RetryTarget target = RetryTarget::none;
    std::string_view why;  // one sentence without a full stop, for logs; a literal
};

// Pure. attempt >= 1 and attempts_max >= 1 (asserted).
[[nodiscard]] RetryDecision may_retry(const RetryFacts& facts);

// The class of a method as it stands in the request line (case matters, RFC 9110 §9.1).
[[nodiscard]] MethodClass method_class(std::string_view method) noexcept;

}  // namespace upstream
