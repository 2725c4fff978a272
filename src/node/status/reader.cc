// Reads a status that another process wrote: the verbs' side of status/json.h.
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "node/control/json_values.h"
#include "node/status/json.h"
#include "node/status/reader_database.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

using Json = nlohmann::ordered_json;

void read_responses(JsonValues object, std::array<uint64_t, 6>& responses) {
    for (size_t of_class = 1; of_class < responses.size(); ++of_class) {
        object.read(kResponseClasses[of_class], responses[of_class]);
    }
}

void read_histogram(JsonValues object, HistogramStatus& histogram) {
    object.read("count", histogram.count);
    object.read("sum_nanoseconds", histogram.sum_nanoseconds);
    size_t bucket = 0;
    object.read_each("buckets", [&](const Json& count) {
        if (bucket < histogram.buckets.size() && count.is_number_unsigned()) {
            histogram.buckets[bucket++] = count.get<uint64_t>();
        }
    });
}

void read_override(JsonValues object, OverrideStatus& override) {
    uint32_t weight = UINT32_MAX;
    std::string admin;
    object.read("weight", weight);
    object.read("admin", admin);
    if (weight != UINT32_MAX) {
        override.weight = weight;
    }
    if (!admin.empty()) {
        override.admin = admin;
    }
}

BackendStatus read_backend(JsonValues object) {
    BackendStatus backend;
    object.read("name", backend.name);
    object.read("address", backend.address);
    object.read("state", backend.state);
    object.read("reason", backend.reason);
    object.read("weight", backend.weight);
    object.read("configured_weight", backend.configured_weight);
    object.read("effective_weight", backend.effective_weight);
    object.read("backup", backend.is_backup);
    object.read("in_rotation", backend.is_in_rotation);
    read_override(object.child("override"), backend.override);
    object.read("in_flight", backend.in_flight);
    object.read("requests_total", backend.requests_total);
    object.read("errors_total", backend.failures_total);
    object.read("connect_errors_total", backend.connect_failures_total);
    object.read("retries_away_total", backend.retries_away_total);
    read_responses(object.child("responses"), backend.responses);
    read_histogram(object.child("response_time"), backend.response_time);
    object.read("connections_idle", backend.connections_idle);
    object.read("connections_total", backend.connections_total);
    object.read("bytes_from_backend_total", backend.bytes_in_total);
    object.read("bytes_to_backend_total", backend.bytes_out_total);
    object.read("checks_total", backend.checks_total);
    object.read("checks_failed_total", backend.checks_failed_total);
    object.read("check_interval_seconds", backend.check_interval);
    object.read("downs_total", backend.downs_total);
    object.read("last_change_seconds", backend.since_change);
    return backend;
}

PoolStatus read_pool(JsonValues object) {
    PoolStatus pool;
    object.read("name", pool.name);
    object.read("tier", pool.tier);
    object.read("mode", pool.mode);
    object.read("algorithm", pool.algorithm);
    object.read("queued", pool.queued);
    object.read("queue_limit", pool.queue_max);
    object.read("connections_limit", pool.connections_max);
    object.read_each("backends", [&](const Json& backend) {
        pool.backends.push_back(read_backend(JsonValues(&backend, object.problem())));
    });
    return pool;
}

void read_traffic(JsonValues& object, ServerStatus& status) {
    JsonValues connections = object.child("connections");
    connections.read("current", status.connections);
    connections.read("limit", status.connections_max);
    connections.read("total", status.connections_total);
    connections.read("refused_total", status.connections_refused_total);
    object.read("requests_active", status.requests_active);
    object.read("requests_total", status.requests_total);
    read_responses(object.child("responses"), status.responses);
    JsonValues ended = object.child("ended");
    for (size_t reason = 0; reason < status.ended.size(); ++reason) {
        ended.read(balancer::ended_name(static_cast<balancer::Ended>(reason)), status.ended[reason]);
    }
    object.read("bytes_from_clients_total", status.bytes_in_total);
    object.read("bytes_to_clients_total", status.bytes_out_total);
    object.read("retries_total", status.retries_total);
    object.read("retries_denied_total", status.retries_denied_total);
    object.read("log_lines_dropped_total", status.log_lines_dropped_total);
    object.read("log_file_lines_lost_total", status.log_losses.file_lines_total);
    object.read("standard_error_lines_lost_total", status.log_losses.standard_error_lines_total);
    read_histogram(object.child("request_time"), status.request_time);
    read_histogram(object.child("queue_time"), status.queue_time);
}

FrontStatus read_front(JsonValues object) {
    FrontStatus front;
    object.read("tier", front.tier);
    object.read("connections", front.connections);
    object.read("requests_active", front.requests_active);
    object.read("requests_total", front.requests_total);
    read_responses(object.child("responses"), front.responses);
    read_histogram(object.child("request_time"), front.request_time);
    return front;
}

PlannedServer read_planned(JsonValues object) {
    PlannedServer planned;
    object.read("server", planned.server);
    object.read("address", planned.address);
    object.read("local", planned.is_local);
    object.read_each("roles", [&](const Json& role) {
        if (role.is_string()) {
            planned.roles.push_back(role.get<std::string>());
        }
    });
    return planned;
}

InstanceStatus read_instance(JsonValues object) {
    InstanceStatus instance;
    object.read("name", instance.name);
    object.read("pid", instance.pid);
    object.read("state", instance.state);
    object.read("last_change_seconds", instance.since_change);
    object.read("restarts_total", instance.restarts_total);
    object.read("generation", instance.generation);
    object.read("memory_bytes", instance.memory_bytes);
    object.read("address", instance.address);
    object.read("last_end", instance.last_end);
    return instance;
}

AppStatus read_app(JsonValues object) {
    AppStatus app;
    object.read_each("instances", [&](const Json& instance) {
        app.instances.push_back(read_instance(JsonValues(&instance, object.problem())));
    });
    JsonValues restart = object.child("restart");
    restart.read("number", app.restart.number);
    restart.read("running", app.restart.is_running);
    restart.read("error", app.restart.error);
    restart.read_each("sentences", [&](const Json& sentence) {
        if (sentence.is_string()) {
            app.restart.sentences.push_back(sentence.get<std::string>());
        }
    });
    return app;
}

void read_pinned(JsonValues object, RouterStatus& router) {
    std::string reason;
    int64_t sessions = 0;
    object.read("reason", reason);
    object.read("sessions", sessions);
    if (reason == "prepared_statement") {
        router.pinned_by_prepared_now = sessions;
        return;
    }
    for (size_t pin = 0; pin < router.pinned_now.size(); ++pin) {
        if (reason == sql::pin_name(static_cast<sql::Pin>(pin))) {
            router.pinned_now[pin] = sessions;
        }
    }
}

RouterNodeStatus read_router_node(JsonValues object) {
    RouterNodeStatus node;
    double lag = -1;
    object.read("name", node.name);
    object.read("address", node.address);
    object.read("state", node.state);
    object.read("reason", node.reason);
    object.read("fit", node.is_fit);
    object.read("weight", node.weight);
    object.read("configured_weight", node.configured_weight);
    object.read("in_rotation", node.is_in_rotation);
    read_override(object.child("override"), node.override);
    object.read("lag_seconds", lag);
    object.read("connections", node.connections);
    object.read("connections_idle", node.connections_idle);
    object.read("connections_total", node.connections_total);
    object.read("connect_errors_total", node.connections_failed_total);
    object.read("waiting", node.waiting);
    object.read("waits_total", node.waited_total);
    object.read("timeouts_total", node.waited_in_vain_total);
    object.read("statements_total", node.statements_total);
    object.read("prepared_total", node.prepared_total);
    if (lag >= 0) {
        core::Duration known{};
        object.read("lag_seconds", known);
        node.lag = known;
    }
    return node;
}

RouterStatus read_router(JsonValues object) {
    RouterStatus router;
    JsonValues clients = object.child("clients");
    clients.read("current", router.clients);
    clients.read("limit", router.clients_max);
    clients.read("total", router.clients_total);
    clients.read("refused_total", router.clients_refused_total);
    object.read("commands_total", router.questions_total);
    object.read("connections_limit", router.connections_max);
    object.read("queue_limit", router.queue_max);
    object.read_each("pinned", [&](const Json& pinned) {
        read_pinned(JsonValues(&pinned, object.problem()), router);
    });
    object.read_each("nodes", [&](const Json& node) {
        router.nodes.push_back(read_router_node(JsonValues(&node, object.problem())));
    });
    return router;
}

}  // namespace

Result<ServerStatus> parse_status_json(std::string_view text) {
    Json document = Json::parse(text, nullptr, false);
    std::string problem;
    JsonValues object(&document, problem);
    ServerStatus status;
    object.read("site", status.site);
    object.read("server", status.server);
    object.read("version", status.version);
    object.read("config_file", status.config_file);
    object.read("pid", status.pid);
    object.read("uptime_seconds", status.uptime);
    object.read("reloads_total", status.reloads_total);
    object.read("draining", status.is_draining);
    object.read("threads", status.threads);
    object.read_each("listeners", [&](const Json& listener) {
        if (listener.is_string()) {
            status.listeners.push_back(listener.get<std::string>());
        }
    });
    object.read_each("whiteboard", [&](const Json& planned) {
        status.whiteboard.push_back(read_planned(JsonValues(&planned, problem)));
    });
    read_traffic(object, status);
    object.read_each("fronts", [&](const Json& front) {
        status.fronts.push_back(read_front(JsonValues(&front, problem)));
    });
    object.read_each("pools", [&](const Json& pool) {
        status.pools.push_back(read_pool(JsonValues(&pool, problem)));
    });
    if (JsonValues app = object.child("app"); app.is_there()) {
        status.app = read_app(app);
    }
    if (JsonValues router = object.child("sql_router"); router.is_there()) {
        status.router = read_router(router);
    }
    if (JsonValues database = object.child("database"); database.is_there()) {
        status.database = read_database_status(database);
    }
    if (!problem.empty()) {
        return fail(ErrorKind::invalid, "the status is not one of this program: " + problem);
    }
    return status;
}

}  // namespace node
