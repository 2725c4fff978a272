// Streams a request's body from the client to the backend, while the response is awaited or already on its
// way.
#pragma once

#include <cstdint>
#include <optional>

#include "balancer/attempt.h"
#include "balancer/exchange.h"
#include "runtime/fiber.h"
#include "runtime/task.h"

namespace balancer {

enum class UploadState : uint8_t {
    running,
    done,
    backend_lost,  // the backend takes no more; it may have answered early
    client_gone,
    client_timeout,
    malformed,  // broken chunked framing
    too_large,
    stopped,  // by the relay, which needs no more of it
};

struct Upload {
    UploadState state = UploadState::running;
    std::string_view reason;             // why it ended before its time
    runtime::Fiber* relaying = nullptr;  // waits for the backend, and is to be told when the state changes
};

// What the client is told when an upload ends the whole exchange.
struct UploadEnd {
    uint16_t status;  // 0: nothing, it is gone
    Ended ended;
};

// The request's body is larger than balancer.limits.body allows: what has come, with what is known to follow.
[[nodiscard]] bool is_body_over_bound(const Exchange& exchange);

// nullopt while the exchange may go on: no upload, or one that runs, is done, or lost only the backend.
[[nodiscard]] std::optional<UploadEnd> failed_upload(const Upload* upload);

// Runs beside relay_response(), which owns `upload` and awaits this task's end.
[[nodiscard]] runtime::Task<void> upload_body(Exchange& exchange, BackendConnection& backend, Upload& upload);

}  // namespace balancer
