// Streams a request's body from the client to the backend, while the response is awaited or already on its way.
#pragma once

#include <cstdint>

#include "balancer/attempt.h"
#include "balancer/exchange.h"
#include "runtime/fiber.h"
#include "runtime/task.h"

namespace balancer {

enum class UploadState : uint8_t {
    running,
    done,
    backend_lost,    // the backend takes no more; it may have answered early
    client_gone,
    client_timeout,
    malformed,       // broken chunked framing
    too_large,
    stopped,         // by the relay, which needs no more of it
};

struct Upload {
    UploadState state = UploadState::running;
    std::string_view reason;             // why it ended before its time
    runtime::Fiber* relaying = nullptr;  // waits for the backend, and is to be told when the state changes
};

// Runs beside relay_response(), which owns `upload` and awaits this task's end.
[[nodiscard]] runtime::Task<void> upload_body(Exchange& exchange, BackendConnection& backend, Upload& upload);

}  // namespace balancer
