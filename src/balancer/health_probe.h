// One health check: a TCP connect, or a GET whose status decides.
#pragma once

#include "net/read_buffer.h"
#include "runtime/reactor.h"
#include "runtime/task.h"
#include "upstream/config.h"
#include "upstream/health.h"

namespace balancer {

// Checks `address` once, within config.timeout. Any 2xx or 3xx answer to GET config.path is good; without a path, a connection is.
// The caller keeps `config`, `address` and `shared` until it ends.
[[nodiscard]] runtime::Task<upstream::CheckResult> probe(
    runtime::Reactor& reactor,
    net::SharedReadBuffer& shared,
    const net::Address& address,
    const upstream::HealthConfig& config
);

}  // namespace balancer
