#include "node/metrics/pool_metrics.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "node/metrics/prometheus_text.h"

namespace node {

namespace {

using enum MetricKind;
using Backend = const BackendStatus&;
using Pool = const PoolStatus&;
using Pools = std::span<const PoolStatus>;

constexpr std::array<std::string_view, 5> kServerStates{"DOWN", "UP", "MAINT", "DRAIN", "NOLB"};

// HAProxy's word for a backend's state. A backend that was not checked yet serves, so it is up, as there.
std::string_view haproxy_state(Backend backend) {
    if (backend.state == "disabled") {
        return "MAINT";
    }
    if (backend.state == "draining" || backend.state == "drained") {
        return "DRAIN";
    }
    return backend.state == "down" ? "DOWN" : "UP";
}

bool is_serving(Backend backend) { return haproxy_state(backend) == "UP" && backend.effective_weight > 0; }

double sum(Pool pool, double (*value)(Backend)) {
    double total = 0;
    for (Backend backend : pool.backends) {
        total += value(backend);
    }
    return total;
}

double serving(Pool pool) {
    return sum(pool, [](Backend b) { return is_serving(b) ? 1.0 : 0.0; });
}

// With the labels proxy: the pool, and tier: the front that sends to it. HAProxy counts bytes from the
// request's point of view: in is what goes to the server.
constexpr MetricFamily<PoolStatus> kPools[]{
    {"haproxy_backend_current_queue",
     gauge,
     "Requests that wait for a backend now.",
     [](Pool p) { return metric_number(p.queued); }},
    {"trilith_pool_queue_limit",
     gauge,
     "Limit on requests that wait for a backend.",
     [](Pool p) { return metric_number(p.queue_max); }},
    {"haproxy_backend_active_servers",
     gauge,
     "Backends that are up with a weight above 0, without backups.",
     [](Pool p) { return sum(p, [](Backend b) { return metric_number(is_serving(b) && !b.is_backup); }); }},
    {"haproxy_backend_backup_servers",
     gauge,
     "Backups that are up with a weight above 0.",
     [](Pool p) { return sum(p, [](Backend b) { return metric_number(is_serving(b) && b.is_backup); }); }},
    {"haproxy_backend_weight",
     gauge,
     "Sum of the effective weights of the backends that get requests.",
     [](Pool p) { return sum(p, [](Backend b) { return b.is_in_rotation ? b.effective_weight : 0.0; }); }},
    {"haproxy_backend_current_sessions",
     gauge,
     "Requests that run now.",
     [](Pool p) { return sum(p, [](Backend b) { return metric_number(b.in_flight); }); }},
    {"haproxy_backend_http_requests_total",
     counter,
     "Requests sent.",
     [](Pool p) { return sum(p, [](Backend b) { return metric_number(b.requests_total); }); }},
    {"haproxy_backend_bytes_in_total",
     counter,
     "Bytes of requests.",
     [](Pool p) { return sum(p, [](Backend b) { return metric_number(b.bytes_out_total); }); }},
    {"haproxy_backend_bytes_out_total",
     counter,
     "Bytes of responses.",
     [](Pool p) { return sum(p, [](Backend b) { return metric_number(b.bytes_in_total); }); }},
    {"haproxy_backend_connection_errors_total",
     counter,
     "Connections that could not be made.",
     [](Pool p) { return sum(p, [](Backend b) { return metric_number(b.connect_failures_total); }); }},
    {"haproxy_backend_retry_warnings_total",
     counter,
     "Requests repeated elsewhere.",
     [](Pool p) { return sum(p, [](Backend b) { return metric_number(b.retries_away_total); }); }},
};

// With the labels of its pool, and server: the backend.
constexpr MetricFamily<BackendStatus> kBackends[]{
    {"haproxy_server_weight", gauge, "Weight after slow start.", [](Backend b) { return b.effective_weight; }
    },
    {"haproxy_server_uweight",
     gauge,
     "Weight as configured or overridden.",
     [](Backend b) { return metric_number(b.weight); }},
    {"trilith_backend_configured_weight",
     gauge,
     "Weight in the file.",
     [](Backend b) { return metric_number(b.configured_weight); }},
    {"trilith_backend_in_rotation",
     gauge,
     "1: gets new requests.",
     [](Backend b) { return metric_number(b.is_in_rotation); }},
    {"trilith_backend_overridden",
     gauge,
     "1: an operator changed its weight, drained or disabled it.",
     [](Backend b) { return metric_number(!b.override.is_empty()); }},
    {"haproxy_server_current_sessions",
     gauge,
     "Requests that run now.",
     [](Backend b) { return metric_number(b.in_flight); }},
    {"haproxy_server_idle_connections_current",
     gauge,
     "Open connections that no request uses now.",
     [](Backend b) { return metric_number(b.connections_idle); }},
    {"haproxy_server_sessions_total",
     counter,
     "Requests sent.",
     [](Backend b) { return metric_number(b.requests_total); }},
    {"haproxy_server_loadbalanced_total",
     counter,
     "Requests sent.",
     [](Backend b) { return metric_number(b.requests_total); }},
    {"haproxy_server_bytes_in_total",
     counter,
     "Bytes of requests.",
     [](Backend b) { return metric_number(b.bytes_out_total); }},
    {"haproxy_server_bytes_out_total",
     counter,
     "Bytes of responses.",
     [](Backend b) { return metric_number(b.bytes_in_total); }},
    {"haproxy_server_connection_attempts_total",
     counter,
     "Connections that were tried.",
     [](Backend b) { return metric_number(b.connections_total + b.connect_failures_total); }},
    {"haproxy_server_connection_errors_total",
     counter,
     "Connections that could not be made.",
     [](Backend b) { return metric_number(b.connect_failures_total); }},
    {"haproxy_server_response_errors_total",
     counter,
     "Requests that had no usable response.",
     [](Backend b) {
    return metric_number(b.failures_total - std::min(b.failures_total, b.connect_failures_total));
}},
    {"haproxy_server_retry_warnings_total",
     counter,
     "Requests repeated elsewhere.",
     [](Backend b) { return metric_number(b.retries_away_total); }},
    {"trilith_backend_checks_total",
     counter,
     "Health checks.",
     [](Backend b) { return metric_number(b.checks_total); }},
    {"haproxy_server_check_failures_total",
     counter,
     "Failed health checks.",
     [](Backend b) { return metric_number(b.checks_failed_total); }},
    {"haproxy_server_check_up_down_total",
     counter,
     "How often it went from up to down.",
     [](Backend b) { return metric_number(b.downs_total); }},
    {"haproxy_server_check_last_change_seconds",
     gauge,
     "How long ago its state changed.",
     [](Backend b) { return metric_seconds(b.since_change); }},
};

void add_pool_families(PrometheusText& page, Pools pools) {
    page.family(
        "haproxy_backend_status",
        gauge,
        "Whether the pool has a backend that serves, per state label value."
    );
    for (Pool pool : pools) {
        page.sample(
            {{"proxy", pool.name}, {"tier", pool.tier}, {"state", "DOWN"}},
            metric_number(serving(pool) == 0)
        );
        page.sample(
            {{"proxy", pool.name}, {"tier", pool.tier}, {"state", "UP"}},
            metric_number(serving(pool) > 0)
        );
    }
    for (const auto& family : kPools) {
        page.family(family.name, family.kind, family.help);
        for (Pool pool : pools) {
            page.sample({{"proxy", pool.name}, {"tier", pool.tier}}, family.value(pool));
        }
    }
    page.family(
        "haproxy_backend_http_responses_total",
        counter,
        "Responses of the pool, per class of status."
    );
    for (Pool pool : pools) {
        for (size_t of_class = 1; of_class < kResponseClasses.size(); ++of_class) {
            uint64_t total = 0;
            for (Backend backend : pool.backends) {
                total += backend.responses[of_class];
            }
            page.sample(
                {{"proxy", pool.name}, {"tier", pool.tier}, {"code", kResponseClasses[of_class]}},
                metric_number(total)
            );
        }
    }
}

// Calls `visit(proxy, tier, server, backend)` for each backend, with its labels.
void each_backend(Pools pools, auto visit) {
    for (Pool pool : pools) {
        for (Backend backend : pool.backends) {
            visit(
                MetricLabel{"proxy", pool.name},
                MetricLabel{"tier", pool.tier},
                MetricLabel{"server", backend.name},
                backend
            );
        }
    }
}

void add_backend_families(PrometheusText& page, Pools pools) {
    page.family("haproxy_server_status", gauge, "State of the backend, per state label value.");
    each_backend(pools, [&](MetricLabel proxy, MetricLabel tier, MetricLabel server, Backend backend) {
        for (std::string_view state : kServerStates) {
            page.sample(
                {proxy, tier, server, {"state", state}},
                metric_number(haproxy_state(backend) == state)
            );
        }
    });
    for (const auto& family : kBackends) {
        page.family(family.name, family.kind, family.help);
        each_backend(pools, [&](MetricLabel proxy, MetricLabel tier, MetricLabel server, Backend backend) {
            page.sample({proxy, tier, server}, family.value(backend));
        });
    }
    page.family("haproxy_server_http_responses_total", counter, "Responses received, per class of status.");
    each_backend(pools, [&](MetricLabel proxy, MetricLabel tier, MetricLabel server, Backend backend) {
        for (size_t of_class = 1; of_class < kResponseClasses.size(); ++of_class) {
            page.sample(
                {proxy, tier, server, {"code", kResponseClasses[of_class]}},
                metric_number(backend.responses[of_class])
            );
        }
    });
    page.family(
        "trilith_backend_response_duration_seconds",
        histogram,
        "From a request sent to its response's last byte."
    );
    each_backend(pools, [&](MetricLabel proxy, MetricLabel tier, MetricLabel server, Backend backend) {
        page.histogram({proxy, tier, server}, backend.response_time);
    });
}

}  // namespace

void add_pools(PrometheusText& page, std::span<const PoolStatus> pools) {
    add_pool_families(page, pools);
    add_backend_families(page, pools);
}

}  // namespace node
