// A server's status with something in every field, for the tests of those that show it.
#pragma once

#include <chrono>
#include <string>

#include "node/status/status.h"

namespace node {

inline HistogramStatus sample_histogram(uint64_t in_each) {
    HistogramStatus histogram;
    histogram.buckets.fill(in_each);
    histogram.count = in_each * histogram.buckets.size();
    histogram.sum_nanoseconds = in_each * 1'500'000'000;
    return histogram;
}

inline BackendStatus sample_backend(std::string name) {
    using namespace std::chrono_literals;
    BackendStatus backend;
    backend.name = std::move(name);
    backend.address = "127.0.0.1:9002";
    backend.state = "up";
    backend.reason = "up: 2 of 2 checks succeeded";
    backend.weight = 100;
    backend.configured_weight = 100;
    backend.effective_weight = 100;
    backend.is_in_rotation = true;
    backend.in_flight = 3;
    backend.connections_idle = 4;
    backend.requests_total = 1000;
    backend.connections_total = 20;
    backend.connect_failures_total = 2;
    backend.failures_total = 5;
    backend.retries_away_total = 6;
    backend.bytes_in_total = 70000;
    backend.bytes_out_total = 8000;
    backend.responses = {0, 1, 900, 30, 40, 9};
    backend.response_time = sample_histogram(10);
    backend.checks_total = 50;
    backend.checks_failed_total = 7;
    backend.downs_total = 1;
    backend.since_change = 90061500ms;
    backend.check_interval = 2s;
    return backend;
}

inline RouterStatus sample_router() {
    using namespace std::chrono_literals;
    RouterStatus router;
    router.clients = 9;
    router.clients_max = 10000;
    router.clients_total = 90;
    router.clients_refused_total = 1;
    router.questions_total = 500;
    router.connections_max = 100;
    router.queue_max = 1000;
    router.pinned_now[static_cast<size_t>(sql::Pin::named_lock)] = 2;
    router.pinned_by_prepared_now = 3;
    router.nodes = {
        {.name = "10.0.0.5:3306",
         .address = "10.0.0.5:3306",
         .state = "primary",
         .weight = 100,
         .configured_weight = 100,
         .connections = 7,
         .connections_idle = 3,
         .waiting = 1},
        {.name = "10.0.0.6:3306",
         .address = "10.0.0.6:3306",
         .state = "replica",
         .is_fit = true,
         .is_in_rotation = true,
         .weight = 70,
         .configured_weight = 100,
         .lag = 250ms,
         .connections = 2},
    };
    router.nodes[1].override.weight = 70;
    return router;
}

// One pool "origin" of b1 (up), b2 (weight overridden), b3 (draining) and b4 (a backup, down).
inline ServerStatus sample_status() {
    using namespace std::chrono_literals;
    PoolStatus pool;
    pool.name = "origin";
    pool.tier = "balancer";
    pool.mode = "active-active";
    pool.algorithm = "round-robin";
    pool.queued = 2;
    pool.queue_max = 1000;
    pool.connections_max = 500;
    pool.backends = {sample_backend("b1"), sample_backend("b2"), sample_backend("b3"), sample_backend("b4")};
    pool.backends[1].override.weight = 300;
    pool.backends[1].weight = 300;
    pool.backends[1].effective_weight = 300;
    pool.backends[2].override.admin = "drain";
    pool.backends[2].state = "draining";
    pool.backends[2].is_in_rotation = false;
    pool.backends[3].state = "down";
    pool.backends[3].reason = "down: 3 of 3 checks failed: connect: Connection refused";
    pool.backends[3].is_backup = true;
    pool.backends[3].is_in_rotation = false;
    ServerStatus status;
    status.site = "api.foobar.com";
    status.server = "lb1";
    status.version = "0.1.0";
    status.config_file = "/etc/trilith/api.toml";
    status.pid = 4711;
    status.uptime = 3725500ms;
    status.reloads_total = 2;
    status.threads = 2;
    status.listeners = {"127.0.0.1:8101", "[::1]:8101"};
    status.whiteboard = {{.server = "lb1", .address = "127.0.0.1", .roles = {"balancer", "router"}}};
    status.connections = 12;
    status.connections_max = 20000;
    status.connections_total = 345;
    status.connections_refused_total = 6;
    status.requests_active = 7;
    status.requests_total = 4000;
    status.responses = {0, 0, 3900, 50, 40, 10};
    status.ended = {3900, 50, 1, 2, 3, 4, 5, 6, 7, 8};
    status.bytes_in_total = 11;
    status.bytes_out_total = 22;
    status.retries_total = 33;
    status.retries_denied_total = 44;
    status.log_lines_dropped_total = 55;
    status.log_losses = {.file_lines_total = 56, .standard_error_lines_total = 57};
    status.request_time = sample_histogram(100);
    status.queue_time = sample_histogram(1);
    FrontStatus front;
    static_cast<ClientStatus&>(front) = status;
    front.tier = "balancer";
    status.fronts = {std::move(front)};
    status.pools = {std::move(pool)};
    status.router = sample_router();
    return status;
}

}  // namespace node
