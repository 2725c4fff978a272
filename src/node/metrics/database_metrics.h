// The metrics of the database cluster that is kept here.
#pragma once

#include "node/metrics/prometheus_text.h"
#include "node/status/status.h"

namespace node {

void add_database(PrometheusText& page, const DatabaseStatus& status);

}  // namespace node
