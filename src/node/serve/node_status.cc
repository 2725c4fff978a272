// Node::status(): sums what the cores count and tells what each backend is.
#include <unistd.h>

#include <algorithm>

#include "node/serve/node.h"
#include "node/serve/version.h"

namespace node {

using balancer::PoolDirector;

namespace {

void add(HistogramStatus& sum, const core::Histogram& histogram) {
    for (size_t bucket = 0; bucket < sum.buckets.size(); ++bucket) {
        uint64_t count = histogram.bucket(bucket);
        sum.buckets[bucket] += count;
        sum.count += count;
    }
    sum.sum_nanoseconds += histogram.sum_nanoseconds();
}

std::string state_name(const PoolDirector::Backend& backend, int64_t in_flight) {
    upstream::BackendState state = backend.health.state();
    bool is_drained = state == upstream::BackendState::draining && in_flight <= 0;
    return is_drained ? "drained" : backend_state_name(state);
}

void sum_counters(BackendStatus& status, const upstream::BackendRecord& record) {
    for (const upstream::BackendCounters& core : record.counters) {
        status.in_flight += core.in_flight.value();
        status.connections_idle += core.idle_connections.value();
        status.requests_total += core.requests.value();
        status.connections_total += core.connections.value();
        status.connect_failures_total += core.connect_failures.value();
        status.failures_total += core.failures.value();
        status.retries_away_total += core.retries_away.value();
        status.bytes_in_total += core.bytes_in.value();
        status.bytes_out_total += core.bytes_out.value();
        for (size_t of_class = 0; of_class < status.responses.size(); ++of_class) {
            status.responses[of_class] += core.responses[of_class].value();
        }
        add(status.response_time, core.response_time);
    }
}

BackendStatus describe(const PoolDirector::Pool& pool, size_t index, core::Instant now) {
    const PoolDirector::Backend& backend = *pool.backends[index];
    const upstream::BackendView& view = pool.state->set.backends()[index];
    BackendStatus status;
    sum_counters(status, *backend.record);
    status.name = backend.config.name;
    status.address = backend.config.address.to_string();
    status.state = state_name(backend, status.in_flight);
    status.reason = backend.health.why();
    status.weight = backend.weight();
    status.configured_weight = backend.config.weight;
    status.effective_weight = static_cast<double>(view.effective_weight) / upstream::kWeightScale;
    status.is_backup = backend.config.is_backup;
    status.is_in_rotation =
        std::ranges::binary_search(pool.state->set.rotation(), static_cast<uint32_t>(index));
    status.override = override_status(backend.override.weight, backend.override.admin);
    status.checks_total = backend.health.counters().checks_total;
    status.checks_failed_total = backend.health.counters().checks_failed_total;
    status.downs_total = backend.health.counters().downs_total;
    status.since_change = now - backend.health.changed_at();
    status.check_interval = pool.config.health.interval;
    return status;
}

PoolStatus describe(const PoolDirector::Pool& pool, core::Instant now) {
    PoolStatus status;
    status.name = pool.config.name;
    status.mode = pool.config.mode == upstream::Mode::active_passive ? "active-passive" : "active-active";
    status.algorithm = "round-robin";
    status.queue_max = pool.config.queue_max;
    status.connections_max = pool.config.connections_max;
    for (const core::Gauge& queued : pool.record->queued) {
        status.queued += queued.value();
    }
    for (size_t index = 0; index < pool.backends.size(); ++index) {
        status.backends.push_back(describe(pool, index, now));
    }
    return status;
}

ClientStatus sum_cores(const balancer::Shared& shared) {
    ClientStatus status;
    status.connections_max = shared.connections.limit();
    for (const balancer::CoreCounters& core : shared.counters) {
        status.connections += core.connections.value();
        status.connections_total += core.connections_total.value();
        status.connections_refused_total += core.connections_refused.value();
        status.requests_active += core.requests_active.value();
        status.requests_total += core.requests_total.value();
        status.bytes_in_total += core.bytes_in.value();
        status.bytes_out_total += core.bytes_out.value();
        status.retries_total += core.retries.value();
        status.retries_denied_total += core.retries_denied.value();
        for (size_t of_class = 0; of_class < status.responses.size(); ++of_class) {
            status.responses[of_class] += core.responses[of_class].value();
        }
        for (size_t ended = 0; ended < status.ended.size(); ++ended) {
            status.ended[ended] += core.ended[ended].value();
        }
        add(status.request_time, core.request_time);
        add(status.queue_time, core.queue_time);
    }
    return status;
}

void add(HistogramStatus& sum, const HistogramStatus& more) {
    for (size_t bucket = 0; bucket < sum.buckets.size(); ++bucket) {
        sum.buckets[bucket] += more.buckets[bucket];
    }
    sum.count += more.count;
    sum.sum_nanoseconds += more.sum_nanoseconds;
}

void add(ClientStatus& sum, const ClientStatus& more) {
    sum.connections += more.connections;
    sum.connections_max += more.connections_max;
    sum.connections_total += more.connections_total;
    sum.connections_refused_total += more.connections_refused_total;
    sum.requests_active += more.requests_active;
    sum.requests_total += more.requests_total;
    sum.bytes_in_total += more.bytes_in_total;
    sum.bytes_out_total += more.bytes_out_total;
    sum.retries_total += more.retries_total;
    sum.retries_denied_total += more.retries_denied_total;
    for (size_t of_class = 0; of_class < sum.responses.size(); ++of_class) {
        sum.responses[of_class] += more.responses[of_class];
    }
    for (size_t ended = 0; ended < sum.ended.size(); ++ended) {
        sum.ended[ended] += more.ended[ended];
    }
    add(sum.request_time, more.request_time);
    add(sum.queue_time, more.queue_time);
}

void describe_front(ServerStatus& status, const Front& front, core::Instant now) {
    FrontStatus described;
    static_cast<ClientStatus&>(described) = sum_cores(front.shared());
    described.tier = front.tier();
    for (const balancer::CoreCounters& core : front.shared().counters) {
        status.log_lines_dropped_total += core.log_lines_dropped.value();
    }
    for (const PoolDirector::Pool& pool : front.director().pools()) {
        status.pools.push_back(describe(pool, now));
        status.pools.back().tier = front.tier();
    }
    add(status, described);
    status.fronts.push_back(std::move(described));
}

}  // namespace

ServerStatus Node::status() const {
    core::Instant now = world_.control.now();
    ServerStatus status;
    status.site = config_.site;
    status.server = server_name_;
    status.version = kVersion;
    status.config_file = config_file_;
    status.pid = getpid();
    status.started_at = started_at_;
    status.uptime = now - started_;
    status.reloads_total = reloads_;
    status.is_draining = is_shutting_down();
    status.threads = static_cast<uint32_t>(world_.cores.size());
    status.whiteboard = whiteboard_;
    for (const auto& front : fronts_) {
        for (const net::Address& address : front->listening()) {
            status.listeners.push_back("http://" + address.to_string());
        }
    }
    if (router_ != nullptr) {
        for (const net::Address& address : router_->listening()) {
            status.listeners.push_back("mysql://" + address.to_string());
        }
    }
    status.log_lines_dropped_total = world_.access_log.lines_lost();
    status.log_losses = world_.log_losses ? world_.log_losses() : LogLosses{};
    for (const auto& front : fronts_) {
        describe_front(status, *front, now);
    }
    if (program_ != nullptr) {
        status.app = program_->status();
    }
    if (router_ != nullptr) {
        status.router = router_->status();
    }
    if (database_ != nullptr) {
        status.database = database_->status();
    }
    return status;
}

}  // namespace node
