// The metrics of pools and their backends: families for the page of metrics/page.h.
#pragma once

#include <span>

#include "node/metrics/prometheus_text.h"
#include "node/status/status.h"

namespace node {

// With HAProxy's labels proxy: the pool, and server: the backend; and tier, since pools of two fronts may
// have one name.
void add_pools(PrometheusText& page, std::span<const PoolStatus> pools);

}  // namespace node
