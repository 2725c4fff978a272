// Reads a backend's response and passes it to the client: interim responses, the head, the body in pieces as
// it comes.
#pragma once

#include "balancer/attempt.h"
#include "balancer/exchange.h"
#include "runtime/task.h"

namespace balancer {

struct Upload;

// The request's head was sent; `upload` is the body on its way, null where all was sent. See attempt() for
// the result. Sets connection.may_be_reused when both messages ended cleanly.
[[nodiscard]] runtime::Task<AttemptResult> relay_response(
    Exchange& exchange,
    BackendConnection& connection,
    Upload* upload
);

}  // namespace balancer
