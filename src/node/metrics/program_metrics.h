// The metrics of the site's program: families for the page of metrics/page.h.
#pragma once

#include "node/metrics/prometheus_text.h"
#include "node/status/status.h"

namespace node {

// With the labels instance: its name, and generation: which of that name, for during a rolling restart there
// are two. What an instance is sent is counted as of any backend: haproxy_server_*, by the same name.
void add_program(PrometheusText& page, const AppStatus& status);

}  // namespace node
