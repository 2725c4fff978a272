#include "node/metrics/page.h"

#include <cstdint>
#include <utility>

#include "node/metrics/database_metrics.h"
#include "node/metrics/pool_metrics.h"
#include "node/metrics/program_metrics.h"
#include "node/metrics/prometheus_text.h"
#include "node/metrics/router_metrics.h"

namespace node {

namespace {

using enum MetricKind;
using Server = const ServerStatus&;
using FrontRef = const FrontStatus&;

constexpr MetricFamily<ServerStatus> kProcess[]{
    {"haproxy_process_start_time_seconds",
     gauge,
     "When this process was started, in seconds since 1970.",
     [](Server s) { return metric_seconds(s.started_at.since_epoch); }},
    {"haproxy_process_uptime_seconds",
     gauge,
     "How long ago this process was started.",
     [](Server s) { return metric_seconds(s.uptime); }},
    {"haproxy_process_nbthread", gauge, "Cores that serve.", [](Server s) { return metric_number(s.threads); }
    },
    {"haproxy_process_max_connections",
     gauge,
     "Limit on client connections.",
     [](Server s) { return metric_number(s.connections_max); }},
    {"haproxy_process_current_connections",
     gauge,
     "Client connections now.",
     [](Server s) { return metric_number(s.connections); }},
    {"haproxy_process_connections_total",
     counter,
     "Client connections accepted.",
     [](Server s) { return metric_number(s.connections_total); }},
    {"haproxy_process_requests_total",
     counter,
     "Requests received.",
     [](Server s) { return metric_number(s.requests_total); }},
    {"haproxy_process_stopping",
     gauge,
     "1: the process drains to its end.",
     [](Server s) { return metric_number(s.is_draining); }},
    {"trilith_access_log_lines_dropped_total",
     counter,
     "Lines of the access log that could not be written in time.",
     [](Server s) { return metric_number(s.log_lines_dropped_total); }},
    {"trilith_log_file_lines_lost_total",
     counter,
     "Lines that the log files could not take.",
     [](Server s) { return metric_number(s.log_losses.file_lines_total); }},
    {"trilith_standard_error_lines_lost_total",
     counter,
     "Lines of the log that were dropped because nobody read standard error.",
     [](Server s) { return metric_number(s.log_losses.standard_error_lines_total); }},
    {"trilith_reloads_total",
     counter,
     "Reloads that were applied.",
     [](Server s) { return metric_number(s.reloads_total); }},
};

// With the labels proxy: the site, and tier: the front, since all its listeners are one way in.
constexpr MetricFamily<FrontStatus> kFrontend[]{
    {"haproxy_frontend_current_sessions",
     gauge,
     "Client connections now.",
     [](FrontRef s) { return metric_number(s.connections); }},
    {"haproxy_frontend_limit_sessions",
     gauge,
     "Limit on client connections.",
     [](FrontRef s) { return metric_number(s.connections_max); }},
    {"haproxy_frontend_sessions_total",
     counter,
     "Client connections accepted.",
     [](FrontRef s) { return metric_number(s.connections_total); }},
    {"haproxy_frontend_connections_total",
     counter,
     "Client connections accepted.",
     [](FrontRef s) { return metric_number(s.connections_total); }},
    {"haproxy_frontend_denied_connections_total",
     counter,
     "Client connections over a bound, closed at once.",
     [](FrontRef s) { return metric_number(s.connections_refused_total); }},
    {"haproxy_frontend_bytes_in_total",
     counter,
     "Bytes from clients.",
     [](FrontRef s) { return metric_number(s.bytes_in_total); }},
    {"haproxy_frontend_bytes_out_total",
     counter,
     "Bytes to clients.",
     [](FrontRef s) { return metric_number(s.bytes_out_total); }},
    {"haproxy_frontend_http_requests_total",
     counter,
     "Requests received.",
     [](FrontRef s) { return metric_number(s.requests_total); }},
    {"trilith_requests_active",
     gauge,
     "Requests that run now.",
     [](FrontRef s) { return metric_number(s.requests_active); }},
    {"trilith_retries_total",
     counter,
     "Further attempts of requests.",
     [](FrontRef s) { return metric_number(s.retries_total); }},
    {"trilith_retries_denied_total",
     counter,
     "Attempts that the retry budget did not allow.",
     [](FrontRef s) { return metric_number(s.retries_denied_total); }},
};

void add_server(PrometheusText& page, Server status) {
    page.family("trilith_build_info", gauge, "Which version this is, and which server of which site.");
    page.sample({{"version", status.version}, {"site", status.site}, {"server", status.server}}, 1);
    for (const auto& family : kProcess) {
        page.family(family.name, family.kind, family.help);
        page.sample({}, family.value(status));
    }
}

void add_fronts(PrometheusText& page, Server status) {
    auto each_front = [&](auto visit) {
        for (FrontRef front : status.fronts) {
            visit(MetricLabel{"proxy", status.site}, MetricLabel{"tier", front.tier}, front);
        }
    };
    page.family("haproxy_frontend_status", gauge, "Whether connections are accepted, per state label value.");
    each_front([&](MetricLabel proxy, MetricLabel tier, FrontRef) {
        page.sample({proxy, tier, {"state", "DOWN"}}, metric_number(status.is_draining));
        page.sample({proxy, tier, {"state", "UP"}}, metric_number(!status.is_draining));
    });
    for (const auto& family : kFrontend) {
        page.family(family.name, family.kind, family.help);
        each_front([&](MetricLabel proxy, MetricLabel tier, FrontRef front) {
            page.sample({proxy, tier}, family.value(front));
        });
    }
    page.family("haproxy_frontend_http_responses_total", counter, "Responses sent, per class of status.");
    each_front([&](MetricLabel proxy, MetricLabel tier, FrontRef front) {
        for (size_t of_class = 1; of_class < kResponseClasses.size(); ++of_class) {
            page.sample(
                {proxy, tier, {"code", kResponseClasses[of_class]}},
                metric_number(front.responses[of_class])
            );
        }
    });
    page.family("trilith_requests_ended_total", counter, "Requests by why they ended, as in the access log.");
    each_front([&](MetricLabel proxy, MetricLabel tier, FrontRef front) {
        for (size_t reason = 0; reason < front.ended.size(); ++reason) {
            std::string_view name = balancer::ended_name(static_cast<balancer::Ended>(reason));
            page.sample({proxy, tier, {"ended", name}}, metric_number(front.ended[reason]));
        }
    });
    page.family(
        "trilith_request_duration_seconds",
        histogram,
        "From a request's head to its response's last byte."
    );
    each_front([&](MetricLabel proxy, MetricLabel tier, FrontRef front) {
        page.histogram({proxy, tier}, front.request_time);
    });
    page.family("trilith_queue_duration_seconds", histogram, "How long requests waited for a backend.");
    each_front([&](MetricLabel proxy, MetricLabel tier, FrontRef front) {
        page.histogram({proxy, tier}, front.queue_time);
    });
}

}  // namespace

std::string metrics_page(const ServerStatus& status) {
    PrometheusText page;
    add_server(page, status);
    add_fronts(page, status);
    add_pools(page, status.pools);
    if (status.app) {
        add_program(page, *status.app);
    }
    if (status.router) {
        add_router(page, *status.router);
    }
    if (status.database) {
        add_database(page, *status.database);
    }
    return std::move(page).take();
}

}  // namespace node
