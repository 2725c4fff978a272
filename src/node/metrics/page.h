// A server's state in the text format of Prometheus (version 0.0.4): what GET /metrics answers.
#pragma once

#include <string>
#include <string_view>

#include "node/status/status.h"

namespace node {

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

// Every family with its HELP and TYPE. Where HAProxy's exporter has a name for the same thing, that name is
// used with its labels (proxy: the site or the pool, server: the backend), so that dashboards made for it
// work; all others begin with trilith_.
[[nodiscard]] std::string metrics_page(const ServerStatus& status);

}  // namespace node
