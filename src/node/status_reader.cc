// Reads a status that another process wrote: the verbs' side of status_json.h.
#include <array>
#include <cmath>
#include <concepts>
#include <format>
#include <utility>

#include <nlohmann/json.hpp>

#include "node/status_json.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

using Json = nlohmann::ordered_json;

// Takes values out of one object; remembers the first that was of the wrong kind.
class Reader {
public:
    // null: nothing is there to take.
    Reader(const Json* object, std::string& problem) : object_(object), problem_(problem) {
        if (object != nullptr && !object->is_object()) {
            refuse("an object");
            object_ = nullptr;
        }
    }

    void read(const char* key, std::string& target) {
        if (const Json* value = find(key)) {
            value->is_string() ? void(target = value->get<std::string>()) : refuse(key);
        }
    }

    void read(const char* key, bool& target) {
        if (const Json* value = find(key)) {
            value->is_boolean() ? void(target = value->get<bool>()) : refuse(key);
        }
    }

    void read(const char* key, double& target) {
        if (const Json* value = find(key)) {
            value->is_number() ? void(target = value->get<double>()) : refuse(key);
        }
    }

    template <std::integral Number>
    void read(const char* key, Number& target) {
        if (const Json* value = find(key)) {
            if (value->is_number_unsigned() && std::in_range<Number>(value->get<uint64_t>())) {
                target = static_cast<Number>(value->get<uint64_t>());
            } else if (value->is_number_integer() && std::in_range<Number>(value->get<int64_t>())) {
                target = static_cast<Number>(value->get<int64_t>());
            } else {
                refuse(key);
            }
        }
    }

    // As a number of seconds, at most 100 years.
    void read(const char* key, core::Duration& target) {
        constexpr double kMost = 100.0 * 365 * 24 * 3600;
        double value = std::chrono::duration<double>(target).count();
        read(key, value);
        if (std::abs(value) <= kMost) {
            target = core::Duration(std::llround(value * kNanosecondsPerSecond));
        } else {
            refuse(key);
        }
    }

    // Calls `element(value)` for each of a list.
    void read_each(const char* key, auto element) {
        if (const Json* value = find(key)) {
            if (!value->is_array()) {
                refuse(key);
                return;
            }
            for (const Json& one : *value) {
                element(one);
            }
        }
    }

    // The object under the key; nothing can be taken from one that is missing or null.
    [[nodiscard]] Reader child(const char* key) const { return {find(key), problem_}; }

    [[nodiscard]] std::string& problem() { return problem_; }

    [[nodiscard]] bool is_there() const { return object_ != nullptr; }

private:
    [[nodiscard]] const Json* find(const char* key) const {
        if (object_ == nullptr) {
            return nullptr;
        }
        auto found = object_->find(key);
        return found == object_->end() || found->is_null() ? nullptr : &*found;
    }

    void refuse(std::string_view key) {
        if (problem_.empty()) {
            problem_ = std::format("\"{}\" is not what was expected", key);
        }
    }

    const Json* object_;
    std::string& problem_;
};

void read_responses(Reader object, std::array<uint64_t, 6>& responses) {
    for (size_t of_class = 1; of_class < responses.size(); ++of_class) {
        object.read(kResponseClasses[of_class], responses[of_class]);
    }
}

void read_histogram(Reader object, HistogramStatus& histogram) {
    object.read("count", histogram.count);
    object.read("sum_nanoseconds", histogram.sum_nanoseconds);
    size_t bucket = 0;
    object.read_each("buckets", [&](const Json& count) {
        if (bucket < histogram.buckets.size() && count.is_number_unsigned()) {
            histogram.buckets[bucket++] = count.get<uint64_t>();
        }
    });
}

void read_override(Reader object, OverrideStatus& override) {
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

BackendStatus read_backend(Reader object) {
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

PoolStatus read_pool(Reader object) {
    PoolStatus pool;
    object.read("name", pool.name);
    object.read("mode", pool.mode);
    object.read("algorithm", pool.algorithm);
    object.read("queued", pool.queued);
    object.read("queue_limit", pool.queue_max);
    object.read("connections_limit", pool.connections_max);
    object.read_each("backends", [&](const Json& backend) {
        pool.backends.push_back(read_backend(Reader(&backend, object.problem())));
    });
    return pool;
}

void read_traffic(Reader& object, ServerStatus& status) {
    Reader connections = object.child("connections");
    connections.read("current", status.connections);
    connections.read("limit", status.connections_max);
    connections.read("total", status.connections_total);
    connections.read("refused_total", status.connections_refused_total);
    object.read("requests_active", status.requests_active);
    object.read("requests_total", status.requests_total);
    read_responses(object.child("responses"), status.responses);
    Reader ended = object.child("ended");
    for (size_t reason = 0; reason < status.ended.size(); ++reason) {
        ended.read(balancer::ended_name(static_cast<balancer::Ended>(reason)), status.ended[reason]);
    }
    object.read("bytes_from_clients_total", status.bytes_in_total);
    object.read("bytes_to_clients_total", status.bytes_out_total);
    object.read("retries_total", status.retries_total);
    object.read("retries_denied_total", status.retries_denied_total);
    object.read("log_lines_dropped_total", status.log_lines_dropped_total);
    read_histogram(object.child("request_time"), status.request_time);
    read_histogram(object.child("queue_time"), status.queue_time);
}

InstanceStatus read_instance(Reader object) {
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

AppStatus read_app(Reader object) {
    AppStatus app;
    object.read_each("instances", [&](const Json& instance) {
        app.instances.push_back(read_instance(Reader(&instance, object.problem())));
    });
    Reader restart = object.child("restart");
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

void read_pinned(Reader object, RouterStatus& router) {
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

RouterNodeStatus read_router_node(Reader object) {
    RouterNodeStatus node;
    double lag = -1;
    object.read("address", node.address);
    object.read("state", node.state);
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

RouterStatus read_router(Reader object) {
    RouterStatus router;
    Reader clients = object.child("clients");
    clients.read("current", router.clients);
    clients.read("limit", router.clients_max);
    clients.read("total", router.clients_total);
    clients.read("refused_total", router.clients_refused_total);
    object.read("commands_total", router.questions_total);
    object.read("connections_limit", router.connections_max);
    object.read("queue_limit", router.queue_max);
    object.read_each("pinned", [&](const Json& pinned) {
        read_pinned(Reader(&pinned, object.problem()), router);
    });
    object.read_each("nodes", [&](const Json& node) {
        router.nodes.push_back(read_router_node(Reader(&node, object.problem())));
    });
    return router;
}

DatabaseServerStatus read_database_server(Reader object) {
    DatabaseServerStatus server;
    object.read("server", server.server);
    object.read("standing", server.standing);
    object.read("answers", server.answers);
    object.read("read_only", server.is_read_only);
    object.read("acknowledges", server.acknowledges);
    object.read("armed", server.is_armed);
    object.read("written", server.written);
    object.read("received", server.received);
    object.read("applied", server.applied);
    object.read("reason", server.reason);
    return server;
}

DatabaseStatus read_database_status(Reader object) {
    DatabaseStatus database;
    object.read("epoch", database.epoch);
    object.read("primary", database.primary);
    object.read("gate", database.gate);
    object.read("durability", database.durability);
    object.read("leads", database.leads);
    object.read("doing", database.sentence);
    object.read("no_failover", database.no_failover);
    if (Reader agent = object.child("mariadbd"); agent.is_there()) {
        DatabaseAgentStatus& status = database.agent.emplace();
        agent.read("state", status.state);
        agent.read("reason", status.reason);
        agent.read("pid", status.pid);
        agent.read("starts_total", status.starts_total);
    }
    Reader switchover = object.child("switchover");
    switchover.read("number", database.switchover.number);
    switchover.read("running", database.switchover.is_running);
    switchover.read("sentence", database.switchover.sentence);
    switchover.read("error", database.switchover.error);
    object.read_each("servers", [&](const Json& server) {
        database.servers.push_back(read_database_server(Reader(&server, object.problem())));
    });
    return database;
}

}  // namespace

Result<ServerStatus> parse_status_json(std::string_view text) {
    Json document = Json::parse(text, nullptr, false);
    std::string problem;
    Reader object(&document, problem);
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
    read_traffic(object, status);
    object.read_each("pools", [&](const Json& pool) {
        status.pools.push_back(read_pool(Reader(&pool, problem)));
    });
    if (Reader app = object.child("app"); app.is_there()) {
        status.app = read_app(app);
    }
    if (Reader router = object.child("sql_router"); router.is_there()) {
        status.router = read_router(router);
    }
    if (Reader database = object.child("database"); database.is_there()) {
        status.database = read_database_status(database);
    }
    if (!problem.empty()) {
        return fail(ErrorKind::invalid, "the status is not one of this program: " + problem);
    }
    return status;
}

}  // namespace node
