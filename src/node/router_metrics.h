// The metrics of the SQL router, under ProxySQL's names where it has one for the same thing.
#pragma once

#include "node/prometheus_text.h"
#include "node/router_status.h"

namespace node {

void add_router(PrometheusText& page, const RouterStatus& status);

}  // namespace node
