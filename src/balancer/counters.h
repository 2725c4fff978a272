// What one core counts of its clients and requests; summed over the cores when somebody asks.
#pragma once

#include "core/metrics.h"

namespace balancer {

// Why an exchange ended, as it stands in the access log.
enum class Ended : uint8_t {
    complete,    // the whole response was sent
    refused,     // we answered ourselves: malformed, no route, over a bound
    no_backend,  // none is up
    queue_full,  // no place at a backend, and none in the queue
    queue_timeout,
    backend_failed,  // no connection, a broken or malformed response
    timeout,         // the backend took too long
    client_timeout,  // the client took too long
    client_gone,
    drained,      // cut at the end of a drain
    file_failed,  // a file could not be read, or was changed while it was sent
};
inline constexpr size_t kEndedCount = 11;

[[nodiscard]] const char* ended_name(Ended ended) noexcept;

struct alignas(64) CoreCounters {
    core::Gauge connections;
    core::Counter connections_total;
    core::Counter connections_refused;  // over connections_per_client
    core::Gauge requests_active;
    core::Counter requests_total;
    core::Counter responses[6];  // by class of status, as BackendCounters
    core::Counter ended[kEndedCount];
    core::Counter bytes_in;   // from clients
    core::Counter bytes_out;  // to clients
    core::Counter retries;
    core::Counter retries_denied;  // by the budget
    core::Counter log_lines_dropped;
    core::Histogram request_time;  // from a request's head to the end of its response
    core::Histogram queue_time;
};

}  // namespace balancer
