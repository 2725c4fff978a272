#include "node/status/json.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace node {

namespace {

using Json = nlohmann::ordered_json;

double seconds(core::Duration duration) {
    return static_cast<double>(duration.count()) / kNanosecondsPerSecond;
}

Json responses_json(const std::array<uint64_t, 6>& responses) {
    Json object = Json::object();
    for (size_t of_class = 1; of_class < responses.size(); ++of_class) {
        object[kResponseClasses[of_class]] = responses[of_class];
    }
    return object;
}

// Counts a bucket, not cumulated; the upper bounds are given with them.
Json histogram_json(const HistogramStatus& histogram) {
    Json bounds = Json::array();
    for (core::Duration bound : core::Histogram::kBounds) {
        bounds.push_back(seconds(bound));
    }
    return {
        {"count", histogram.count},
        {"sum_nanoseconds", histogram.sum_nanoseconds},
        {"bounds_seconds", std::move(bounds)},
        {"buckets", histogram.buckets},
    };
}

Json override_json(const OverrideStatus& override) {
    if (override.is_empty()) {
        return nullptr;
    }
    Json object = Json::object();
    if (override.weight) {
        object["weight"] = *override.weight;
    }
    if (override.admin) {
        object["admin"] = *override.admin;
    }
    return object;
}

Json backend_json(const BackendStatus& backend) {
    return {
        {"name", backend.name},
        {"address", backend.address},
        {"state", backend.state},
        {"reason", backend.reason},
        {"weight", backend.weight},
        {"configured_weight", backend.configured_weight},
        {"effective_weight", backend.effective_weight},
        {"backup", backend.is_backup},
        {"in_rotation", backend.is_in_rotation},
        {"override", override_json(backend.override)},
        {"in_flight", backend.in_flight},
        {"queued", 0},  // requests wait for their pool, never for one backend of it
        {"requests_total", backend.requests_total},
        {"errors_total", backend.failures_total},
        {"connect_errors_total", backend.connect_failures_total},
        {"retries_away_total", backend.retries_away_total},
        {"responses", responses_json(backend.responses)},
        {"response_time", histogram_json(backend.response_time)},
        {"connections_idle", backend.connections_idle},
        {"connections_total", backend.connections_total},
        {"bytes_from_backend_total", backend.bytes_in_total},
        {"bytes_to_backend_total", backend.bytes_out_total},
        {"checks_total", backend.checks_total},
        {"checks_failed_total", backend.checks_failed_total},
        {"check_interval_seconds", seconds(backend.check_interval)},
        {"downs_total", backend.downs_total},
        {"last_change_seconds", seconds(backend.since_change)},
    };
}

Json pool_json(const PoolStatus& pool) {
    Json backends = Json::array();
    for (const BackendStatus& backend : pool.backends) {
        backends.push_back(backend_json(backend));
    }
    return {
        {"name", pool.name},
        {"tier", pool.tier},
        {"mode", pool.mode},
        {"algorithm", pool.algorithm},
        {"queued", pool.queued},
        {"queue_limit", pool.queue_max},
        {"connections_limit", pool.connections_max},
        {"backends", std::move(backends)},
    };
}

Json ended_json(const std::array<uint64_t, balancer::kEndedCount>& ended) {
    Json object = Json::object();
    for (size_t reason = 0; reason < ended.size(); ++reason) {
        object[balancer::ended_name(static_cast<balancer::Ended>(reason))] = ended[reason];
    }
    return object;
}

void add_traffic(Json& document, const ServerStatus& status) {
    document["connections"] = {
        {"current", status.connections},
        {"limit", status.connections_max},
        {"total", status.connections_total},
        {"refused_total", status.connections_refused_total},
    };
    document["requests_active"] = status.requests_active;
    document["requests_total"] = status.requests_total;
    document["responses"] = responses_json(status.responses);
    document["ended"] = ended_json(status.ended);
    document["bytes_from_clients_total"] = status.bytes_in_total;
    document["bytes_to_clients_total"] = status.bytes_out_total;
    document["retries_total"] = status.retries_total;
    document["retries_denied_total"] = status.retries_denied_total;
    document["log_lines_dropped_total"] = status.log_lines_dropped_total;
    document["log_file_lines_lost_total"] = status.log_losses.file_lines_total;
    document["standard_error_lines_lost_total"] = status.log_losses.standard_error_lines_total;
    document["request_time"] = histogram_json(status.request_time);
    document["queue_time"] = histogram_json(status.queue_time);
}

Json front_json(const FrontStatus& front) {
    return {
        {"tier", front.tier},
        {"connections", front.connections},
        {"requests_active", front.requests_active},
        {"requests_total", front.requests_total},
        {"responses", responses_json(front.responses)},
        {"request_time", histogram_json(front.request_time)},
    };
}

Json whiteboard_json(const std::vector<PlannedServer>& servers) {
    Json list = Json::array();
    for (const PlannedServer& server : servers) {
        list.push_back({
            {"server", server.server},
            {"address", server.address},
            {"roles", server.roles},
            {"local", server.is_local},
        });
    }
    return list;
}

Json app_json(const AppStatus& app) {
    Json instances = Json::array();
    for (const InstanceStatus& instance : app.instances) {
        instances.push_back({
            {"name", instance.name},
            {"pid", instance.pid},
            {"state", instance.state},
            {"last_change_seconds", seconds(instance.since_change)},
            {"restarts_total", instance.restarts_total},
            {"generation", instance.generation},
            {"memory_bytes", instance.memory_bytes},
            {"address", instance.address},
            {"last_end", instance.last_end},
        });
    }
    return {
        {"instances", std::move(instances)},
        {"restart",
         {
             {"number", app.restart.number},
             {"running", app.restart.is_running},
             {"sentences", app.restart.sentences},
             {"error", app.restart.error},
         }},
    };
}

// A list, so that whoever reads it need not know the names. Reasons that pin nobody are left out.
Json pinned_json(const RouterStatus& router) {
    Json pinned = Json::array();
    for (const PinnedSessions& by_reason : pinned_sessions(router)) {
        if (by_reason.sessions != 0) {
            pinned.push_back({{"reason", by_reason.reason}, {"sessions", by_reason.sessions}});
        }
    }
    return pinned;
}

Json router_json(const RouterStatus& router) {
    Json nodes = Json::array();
    for (const RouterNodeStatus& node : router.nodes) {
        nodes.push_back({
            {"name", node.name},
            {"address", node.address},
            {"state", node.state},
            {"reason", node.reason},
            {"fit", node.is_fit},
            {"weight", node.weight},
            {"configured_weight", node.configured_weight},
            {"in_rotation", node.is_in_rotation},
            {"override", override_json(node.override)},
            {"lag_seconds", node.lag ? Json(seconds(*node.lag)) : Json(nullptr)},
            {"connections", node.connections},
            {"connections_idle", node.connections_idle},
            {"connections_total", node.connections_total},
            {"connect_errors_total", node.connections_failed_total},
            {"waiting", node.waiting},
            {"waits_total", node.waited_total},
            {"timeouts_total", node.waited_in_vain_total},
            {"statements_total", node.statements_total},
            {"prepared_total", node.prepared_total},
        });
    }
    return {
        {"clients",
         {
             {"current", router.clients},
             {"limit", router.clients_max},
             {"total", router.clients_total},
             {"refused_total", router.clients_refused_total},
         }},
        {"commands_total", router.questions_total},
        {"connections_limit", router.connections_max},
        {"queue_limit", router.queue_max},
        {"pinned", pinned_json(router)},
        {"nodes", std::move(nodes)},
    };
}

Json database_json(const DatabaseStatus& database) {
    Json document = {
        {"epoch", database.epoch},
        {"primary", database.primary},
        {"gate", database.gate},
        {"durability", database.durability},
        {"leads", database.leads},
    };
    if (database.agent) {
        document["mariadbd"] = {
            {"state", database.agent->state},
            {"reason", database.agent->reason},
            {"pid", database.agent->pid},
            {"starts_total", database.agent->starts_total},
            {"free_bytes", database.agent->free_bytes},
        };
    }
    Json addresses = Json::array();
    for (const auto& [server, address] : database.client.addresses) {
        addresses.push_back({{"server", server}, {"address", address}});
    }
    document["client"] = {
        {"user", database.client.user},
        {"password_file", database.client.password_file},
        {"schema", database.client.schema},
        {"addresses", std::move(addresses)},
    };
    if (!database.leads) {
        return document;
    }
    document["doing"] = database.sentence;
    document["no_failover"] = database.no_failover;
    Json servers = Json::array();
    for (const DatabaseServerStatus& server : database.servers) {
        servers.push_back({
            {"server", server.server},
            {"standing", server.standing},
            {"answers", server.answers},
            {"read_only", server.is_read_only},
            {"acknowledges", server.acknowledges},
            {"armed", server.is_armed},
            {"written", server.written},
            {"received", server.received},
            {"applied", server.applied},
            {"reason", server.reason},
            {"drift", server.drift},
            {"extra", server.extra},
            {"aside", server.aside},
        });
    }
    document["servers"] = std::move(servers);
    document["write_seconds"] = seconds(database.write_took);
    document["order"] = {
        {"number", database.order.number},
        {"verb", database.order.verb},
        {"running", database.order.is_running},
        {"sentence", database.order.sentence},
        {"error", database.order.error},
    };
    return document;
}

}  // namespace

std::string status_json(const ServerStatus& status) {
    Json document = {
        {"site", status.site},
        {"server", status.server},
        {"version", status.version},
        {"config_file", status.config_file},
        {"pid", status.pid},
        {"uptime_seconds", seconds(status.uptime)},
        {"reloads_total", status.reloads_total},
        {"draining", status.is_draining},
        {"threads", status.threads},
        {"listeners", status.listeners},
        {"whiteboard", whiteboard_json(status.whiteboard)},
    };
    add_traffic(document, status);
    document["fronts"] = Json::array();
    for (const FrontStatus& front : status.fronts) {
        document["fronts"].push_back(front_json(front));
    }
    Json pools = Json::array();
    for (const PoolStatus& pool : status.pools) {
        pools.push_back(pool_json(pool));
    }
    document["pools"] = std::move(pools);
    if (status.app) {
        document["app"] = app_json(*status.app);
    }
    if (status.router) {
        document["sql_router"] = router_json(*status.router);
    }
    if (status.database) {
        document["database"] = database_json(*status.database);
    }
    return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace node
