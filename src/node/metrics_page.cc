#include "node/metrics_page.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <utility>

#include "node/prometheus_text.h"
#include "node/router_metrics.h"

namespace node {

namespace {

using enum MetricKind;
using Backend = const BackendStatus&;
using Pool = const PoolStatus&;
using Server = const ServerStatus&;

constexpr std::array<std::string_view, 6> kClasses{"", "1xx", "2xx", "3xx", "4xx", "5xx"};
constexpr std::array<std::string_view, 5> kServerStates{"DOWN", "UP", "MAINT", "DRAIN", "NOLB"};

// A family with one sample for each `Subject`.
template <class Subject>
struct Family {
    std::string_view name;
    MetricKind kind;
    std::string_view help;
    double (*value)(const Subject&);
};

double number(auto value) { return static_cast<double>(value); }

double seconds(core::Duration duration) { return std::chrono::duration<double>(duration).count(); }

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

constexpr Family<ServerStatus> kProcess[]{
    {"haproxy_process_start_time_seconds",
     gauge,
     "When this process was started, in seconds since 1970.",
     [](Server s) { return seconds(s.started_at.since_epoch); }},
    {"haproxy_process_uptime_seconds",
     gauge,
     "How long ago this process was started.",
     [](Server s) { return seconds(s.uptime); }},
    {"haproxy_process_nbthread", gauge, "Cores that serve.", [](Server s) { return number(s.threads); }},
    {"haproxy_process_max_connections",
     gauge,
     "Limit on client connections.",
     [](Server s) { return number(s.connections_max); }},
    {"haproxy_process_current_connections",
     gauge,
     "Client connections now.",
     [](Server s) { return number(s.connections); }},
    {"haproxy_process_connections_total",
     counter,
     "Client connections accepted.",
     [](Server s) { return number(s.connections_total); }},
    {"haproxy_process_requests_total",
     counter,
     "Requests received.",
     [](Server s) { return number(s.requests_total); }},
    {"haproxy_process_stopping",
     gauge,
     "1: the process drains to its end.",
     [](Server s) { return number(s.is_draining); }},
    {"trilith_requests_active",
     gauge,
     "Requests that run now.",
     [](Server s) { return number(s.requests_active); }},
    {"trilith_retries_total",
     counter,
     "Further attempts of requests.",
     [](Server s) { return number(s.retries_total); }},
    {"trilith_retries_denied_total",
     counter,
     "Attempts that the retry budget did not allow.",
     [](Server s) { return number(s.retries_denied_total); }},
    {"trilith_access_log_lines_dropped_total",
     counter,
     "Lines of the access log that could not be written in time.",
     [](Server s) { return number(s.log_lines_dropped_total); }},
    {"trilith_reloads_total",
     counter,
     "Reloads that were applied.",
     [](Server s) { return number(s.reloads_total); }},
};

// With the label proxy: the site, since all listeners of a server are one way in.
constexpr Family<ServerStatus> kFrontend[]{
    {"haproxy_frontend_current_sessions",
     gauge,
     "Client connections now.",
     [](Server s) { return number(s.connections); }},
    {"haproxy_frontend_limit_sessions",
     gauge,
     "Limit on client connections.",
     [](Server s) { return number(s.connections_max); }},
    {"haproxy_frontend_sessions_total",
     counter,
     "Client connections accepted.",
     [](Server s) { return number(s.connections_total); }},
    {"haproxy_frontend_connections_total",
     counter,
     "Client connections accepted.",
     [](Server s) { return number(s.connections_total); }},
    {"haproxy_frontend_denied_connections_total",
     counter,
     "Client connections over a bound, closed at once.",
     [](Server s) { return number(s.connections_refused_total); }},
    {"haproxy_frontend_bytes_in_total",
     counter,
     "Bytes from clients.",
     [](Server s) { return number(s.bytes_in_total); }},
    {"haproxy_frontend_bytes_out_total",
     counter,
     "Bytes to clients.",
     [](Server s) { return number(s.bytes_out_total); }},
    {"haproxy_frontend_http_requests_total",
     counter,
     "Requests received.",
     [](Server s) { return number(s.requests_total); }},
};

// With the label proxy: the pool. HAProxy counts bytes from the request's point of view: in is what goes to
// the server.
constexpr Family<PoolStatus> kPools[]{
    {"haproxy_backend_current_queue",
     gauge,
     "Requests that wait for a backend now.",
     [](Pool p) { return number(p.queued); }},
    {"trilith_pool_queue_limit",
     gauge,
     "Limit on requests that wait for a backend.",
     [](Pool p) { return number(p.queue_max); }},
    {"haproxy_backend_active_servers",
     gauge,
     "Backends that are up with a weight above 0, without backups.",
     [](Pool p) { return sum(p, [](Backend b) { return number(is_serving(b) && !b.is_backup); }); }},
    {"haproxy_backend_backup_servers",
     gauge,
     "Backups that are up with a weight above 0.",
     [](Pool p) { return sum(p, [](Backend b) { return number(is_serving(b) && b.is_backup); }); }},
    {"haproxy_backend_weight",
     gauge,
     "Sum of the effective weights of the backends that get requests.",
     [](Pool p) { return sum(p, [](Backend b) { return b.is_in_rotation ? b.effective_weight : 0.0; }); }},
    {"haproxy_backend_current_sessions",
     gauge,
     "Requests that run now.",
     [](Pool p) { return sum(p, [](Backend b) { return number(b.in_flight); }); }},
    {"haproxy_backend_http_requests_total",
     counter,
     "Requests sent.",
     [](Pool p) { return sum(p, [](Backend b) { return number(b.requests_total); }); }},
    {"haproxy_backend_bytes_in_total",
     counter,
     "Bytes of requests.",
     [](Pool p) { return sum(p, [](Backend b) { return number(b.bytes_out_total); }); }},
    {"haproxy_backend_bytes_out_total",
     counter,
     "Bytes of responses.",
     [](Pool p) { return sum(p, [](Backend b) { return number(b.bytes_in_total); }); }},
    {"haproxy_backend_connection_errors_total",
     counter,
     "Connections that could not be made.",
     [](Pool p) { return sum(p, [](Backend b) { return number(b.connect_failures_total); }); }},
    {"haproxy_backend_retry_warnings_total",
     counter,
     "Requests repeated elsewhere.",
     [](Pool p) { return sum(p, [](Backend b) { return number(b.retries_away_total); }); }},
};

// With the labels proxy: the pool, server: the backend.
constexpr Family<BackendStatus> kBackends[]{
    {"haproxy_server_weight", gauge, "Weight after slow start.", [](Backend b) { return b.effective_weight; }
    },
    {"haproxy_server_uweight",
     gauge,
     "Weight as configured or overridden.",
     [](Backend b) { return number(b.weight); }},
    {"trilith_backend_configured_weight",
     gauge,
     "Weight in the file.",
     [](Backend b) { return number(b.configured_weight); }},
    {"trilith_backend_in_rotation",
     gauge,
     "1: gets new requests.",
     [](Backend b) { return number(b.is_in_rotation); }},
    {"trilith_backend_overridden",
     gauge,
     "1: an operator changed its weight, drained or disabled it.",
     [](Backend b) { return number(!b.override.is_empty()); }},
    {"haproxy_server_current_sessions",
     gauge,
     "Requests that run now.",
     [](Backend b) { return number(b.in_flight); }},
    {"haproxy_server_idle_connections_current",
     gauge,
     "Open connections that no request uses now.",
     [](Backend b) { return number(b.connections_idle); }},
    {"haproxy_server_sessions_total",
     counter,
     "Requests sent.",
     [](Backend b) { return number(b.requests_total); }},
    {"haproxy_server_loadbalanced_total",
     counter,
     "Requests sent.",
     [](Backend b) { return number(b.requests_total); }},
    {"haproxy_server_bytes_in_total",
     counter,
     "Bytes of requests.",
     [](Backend b) { return number(b.bytes_out_total); }},
    {"haproxy_server_bytes_out_total",
     counter,
     "Bytes of responses.",
     [](Backend b) { return number(b.bytes_in_total); }},
    {"haproxy_server_connection_attempts_total",
     counter,
     "Connections that were tried.",
     [](Backend b) { return number(b.connections_total + b.connect_failures_total); }},
    {"haproxy_server_connection_errors_total",
     counter,
     "Connections that could not be made.",
     [](Backend b) { return number(b.connect_failures_total); }},
    {"haproxy_server_response_errors_total",
     counter,
     "Requests that had no usable response.",
     [](Backend b) { return number(b.failures_total - std::min(b.failures_total, b.connect_failures_total)); }
    },
    {"haproxy_server_retry_warnings_total",
     counter,
     "Requests repeated elsewhere.",
     [](Backend b) { return number(b.retries_away_total); }},
    {"trilith_backend_checks_total",
     counter,
     "Health checks.",
     [](Backend b) { return number(b.checks_total); }},
    {"haproxy_server_check_failures_total",
     counter,
     "Failed health checks.",
     [](Backend b) { return number(b.checks_failed_total); }},
    {"haproxy_server_check_up_down_total",
     counter,
     "How often it went from up to down.",
     [](Backend b) { return number(b.downs_total); }},
    {"haproxy_server_check_last_change_seconds",
     gauge,
     "How long ago its state changed.",
     [](Backend b) { return seconds(b.since_change); }},
};

void add_server(PrometheusText& page, Server status) {
    page.family("trilith_build_info", gauge, "Which version this is, and which server of which site.");
    page.sample({{"version", status.version}, {"site", status.site}, {"server", status.server}}, 1);
    for (const auto& family : kProcess) {
        page.family(family.name, family.kind, family.help);
        page.sample({}, family.value(status));
    }
    page.family("trilith_requests_ended_total", counter, "Requests by why they ended, as in the access log.");
    for (size_t reason = 0; reason < status.ended.size(); ++reason) {
        std::string_view name = balancer::ended_name(static_cast<balancer::Ended>(reason));
        page.sample({{"ended", name}}, number(status.ended[reason]));
    }
    page.family(
        "trilith_request_duration_seconds",
        histogram,
        "From a request's head to its response's last byte."
    );
    page.histogram({}, status.request_time);
    page.family("trilith_queue_duration_seconds", histogram, "How long requests waited for a backend.");
    page.histogram({}, status.queue_time);
}

void add_frontend(PrometheusText& page, Server status) {
    const MetricLabel proxy{"proxy", status.site};
    page.family("haproxy_frontend_status", gauge, "Whether connections are accepted, per state label value.");
    page.sample({proxy, {"state", "DOWN"}}, number(status.is_draining));
    page.sample({proxy, {"state", "UP"}}, number(!status.is_draining));
    for (const auto& family : kFrontend) {
        page.family(family.name, family.kind, family.help);
        page.sample({proxy}, family.value(status));
    }
    page.family("haproxy_frontend_http_responses_total", counter, "Responses sent, per class of status.");
    for (size_t of_class = 1; of_class < kClasses.size(); ++of_class) {
        page.sample({proxy, {"code", kClasses[of_class]}}, number(status.responses[of_class]));
    }
}

void add_pools(PrometheusText& page, Server status) {
    page.family(
        "haproxy_backend_status",
        gauge,
        "Whether the pool has a backend that serves, per state label value."
    );
    for (Pool pool : status.pools) {
        page.sample({{"proxy", pool.name}, {"state", "DOWN"}}, number(serving(pool) == 0));
        page.sample({{"proxy", pool.name}, {"state", "UP"}}, number(serving(pool) > 0));
    }
    for (const auto& family : kPools) {
        page.family(family.name, family.kind, family.help);
        for (Pool pool : status.pools) {
            page.sample({{"proxy", pool.name}}, family.value(pool));
        }
    }
    page.family(
        "haproxy_backend_http_responses_total",
        counter,
        "Responses of the pool, per class of status."
    );
    for (Pool pool : status.pools) {
        for (size_t of_class = 1; of_class < kClasses.size(); ++of_class) {
            uint64_t total = 0;
            for (Backend backend : pool.backends) {
                total += backend.responses[of_class];
            }
            page.sample({{"proxy", pool.name}, {"code", kClasses[of_class]}}, number(total));
        }
    }
}

// Calls `visit(pool, backend)` for each backend.
void each_backend(Server status, auto visit) {
    for (Pool pool : status.pools) {
        for (Backend backend : pool.backends) {
            visit(MetricLabel{"proxy", pool.name}, MetricLabel{"server", backend.name}, backend);
        }
    }
}

void add_backends(PrometheusText& page, Server status) {
    page.family("haproxy_server_status", gauge, "State of the backend, per state label value.");
    each_backend(status, [&](MetricLabel proxy, MetricLabel server, Backend backend) {
        for (std::string_view state : kServerStates) {
            page.sample({proxy, server, {"state", state}}, number(haproxy_state(backend) == state));
        }
    });
    for (const auto& family : kBackends) {
        page.family(family.name, family.kind, family.help);
        each_backend(status, [&](MetricLabel proxy, MetricLabel server, Backend backend) {
            page.sample({proxy, server}, family.value(backend));
        });
    }
    page.family("haproxy_server_http_responses_total", counter, "Responses received, per class of status.");
    each_backend(status, [&](MetricLabel proxy, MetricLabel server, Backend backend) {
        for (size_t of_class = 1; of_class < kClasses.size(); ++of_class) {
            page.sample({proxy, server, {"code", kClasses[of_class]}}, number(backend.responses[of_class]));
        }
    });
    page.family(
        "trilith_backend_response_duration_seconds",
        histogram,
        "From a request sent to its response's last byte."
    );
    each_backend(status, [&](MetricLabel proxy, MetricLabel server, Backend backend) {
        page.histogram({proxy, server}, backend.response_time);
    });
}

}  // namespace

std::string metrics_page(const ServerStatus& status) {
    PrometheusText page;
    add_server(page, status);
    add_frontend(page, status);
    add_pools(page, status);
    add_backends(page, status);
    if (status.router) {
        add_router(page, *status.router);
    }
    return std::move(page).take();
}

}  // namespace node
