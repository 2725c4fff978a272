// What the control thread publishes of a pool, and the records that all cores share: bounds and counters of
// each backend.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/metrics.h"
#include "runtime/quota.h"
#include "upstream/backend_set.h"
#include "upstream/config.h"
#include "upstream/place_queue.h"

namespace upstream {

// What one core counts of one backend. Aligned, so that cores do not share cache lines.
struct alignas(64) BackendCounters {
    core::Counter requests;  // attempts sent to this backend
    core::Counter connect_failures;
    core::Counter failures;      // attempts that gave no usable response
    core::Counter retries_away;  // attempts that were repeated elsewhere
    core::Counter connections;   // opened
    core::Counter bytes_in;      // from the backend
    core::Counter bytes_out;     // to the backend
    core::Counter responses[6];  // by class of status: 1xx to 5xx at 1 to 5; 0 is not used
    core::Gauge in_flight;
    core::Gauge idle_connections;
    core::Histogram response_time;  // from the request sent to the last byte
};

// One backend for the life of the process: the same object in every snapshot.
struct BackendRecord {
    BackendRecord(uint32_t backend_id, uint32_t connections_max, size_t cores)
        : id(backend_id), connections(connections_max), counters(cores) {}

    const uint32_t id;
    runtime::Quota connections;             // requests at a time, all cores together
    std::vector<BackendCounters> counters;  // one a core
};

// One pool for the life of the process.
struct PoolRecord {
    PoolRecord(uint32_t queue_max, size_t cores) : queue(queue_max), queued(cores) {}

    runtime::Quota queue;             // requests that wait for a backend
    std::vector<core::Gauge> queued;  // one a core
    PlaceQueue waiting;               // the requests themselves; none while `queue` is not used
};

// A snapshot of one pool; immutable, read by all cores.
struct PoolState {
    PoolConfig config;
    BackendSet set;
    std::vector<std::shared_ptr<BackendRecord>> backends;  // parallel to set.backends()
    std::shared_ptr<PoolRecord> record;
};

}  // namespace upstream
