// After 101 Switching Protocols: bytes pass both ways, unread, until both sides have ended (RFC 9110
// section 7.8).
#pragma once

#include "balancer/attempt.h"
#include "balancer/exchange.h"
#include "runtime/task.h"

namespace balancer {

// The 101 head for the client is the first `head_size` bytes of the worker's scratch memory. Returns when the
// tunnel is over.
[[nodiscard]] runtime::Task<void> run_tunnel(
    Exchange& exchange,
    BackendConnection& connection,
    size_t head_size
);

}  // namespace balancer
