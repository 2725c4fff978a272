// Decides what becomes of a request once its head is read: where it goes and what is sent there, who answers
// it here, or why it is refused. Waits for nothing.
#pragma once

#include <cstdint>
#include <string_view>

#include "balancer/exchange.h"

namespace balancer {

struct Generation;

// What an answer of ourselves to a request means for those behind it on the same connection.
enum class Following : uint8_t {
    untrusted,  // the request was not understood, or meant to tunnel: what follows may be no request
    served,
};

struct Refusal {
    uint16_t status = 0;  // 0: not refused
    std::string_view reason{};
    Following following = Following::untrusted;
};

// Fills `exchange` from the head that the worker has just parsed, whose bytes are the first of the client's
// buffer: route; the answer, where a handler of this process gives it, or else pool and head for the backend;
// the body's framing. Consumes the head, and of the body what it puts behind the head. A refused or locally
// answered exchange has what the access log needs.
[[nodiscard]] Refusal plan_request(Exchange& exchange, const Generation& generation, uint32_t head_length);

}  // namespace balancer
