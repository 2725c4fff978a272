// One health check: a TCP connect, or a GET whose status decides.
#pragma once

#include <optional>

#include "net/read_buffer.h"
#include "runtime/reactor.h"
#include "runtime/task.h"
#include "upstream/config.h"
#include "upstream/health.h"

namespace balancer {

// Checks `address` once, within config.timeout. Any 2xx or 3xx answer to GET config.path is good; without a
// path, a connection is. nullopt: this machine had no descriptor or memory for the check, which says nothing
// of the backend. The caller keeps `config`, `address` and `shared` until it ends.
[[nodiscard]] runtime::Task<std::optional<upstream::CheckResult>> probe(
    runtime::Reactor& reactor,
    net::SharedReadBuffer& shared,
    const net::Address& address,
    const upstream::HealthConfig& config
);

}  // namespace balancer
