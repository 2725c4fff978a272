// Decides what becomes of a request once its head is read: where it goes and what is sent there, or why it is
// refused. No I/O.
#pragma once

#include <cstdint>
#include <string_view>

#include "balancer/exchange.h"

namespace balancer {

struct Generation;

struct Refusal {
    uint16_t status = 0;  // 0: not refused
    std::string_view reason{};
};

// Fills `exchange` from the head that the worker has just parsed, whose bytes are the first of the client's
// buffer: route, pool, the head for the backend, the body's framing. Consumes the head, and of the body what
// it puts behind the head. A refused exchange has what the access log needs.
[[nodiscard]] Refusal plan_request(Exchange& exchange, const Generation& generation, uint32_t head_length);

}  // namespace balancer
