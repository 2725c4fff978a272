// The metrics of the SQL router, under ProxySQL's names where it has one for the same thing.
#pragma once

#include "node/metrics/prometheus_text.h"
#include "node/status/router_status.h"

namespace node {

void add_router(PrometheusText& page, const RouterStatus& status);

}  // namespace node
