#include "node/metrics/router_metrics.h"

#include <chrono>
#include <string_view>

#include "sql/statement_class.h"

namespace node {

namespace {

using enum MetricKind;
using RouterRef = const RouterStatus&;
using NodeRef = const RouterNodeStatus&;

template <class Subject>
struct RouterFamily {
    std::string_view name;
    MetricKind kind;
    std::string_view help;
    double (*value)(const Subject&);
};

double as_number(auto value) { return static_cast<double>(value); }

// Without labels.
constexpr RouterFamily<RouterStatus> kRouter[]{
    {"proxysql_client_connections_connected",
     gauge,
     "Clients now.",
     [](RouterRef r) { return as_number(r.clients); }},
    {"trilith_sql_pool_limit",
     gauge,
     "Limit on connections to each server.",
     [](RouterRef r) { return as_number(r.connections_max); }},
    {"trilith_sql_clients_limit",
     gauge,
     "Limit on clients.",
     [](RouterRef r) { return as_number(r.clients_max); }},
    {"proxysql_access_denied_max_connections_total",
     counter,
     "Clients over a bound, refused.",
     [](RouterRef r) { return as_number(r.clients_refused_total); }},
    {"proxysql_access_denied_wrong_password_total",
     counter,
     "Logins that were refused.",
     [](RouterRef r) { return as_number(r.logins_failed_total); }},
    {"proxysql_questions_total",
     counter,
     "Commands of clients.",
     [](RouterRef r) { return as_number(r.questions_total); }},
    {"proxysql_gtid_consistent_queries_total",
     counter,
     "Reads on a replica that had the session's own writes at once.",
     [](RouterRef r) { return as_number(r.own_writes_covered_total); }},
    {"trilith_sql_own_writes_waited_total",
     counter,
     "Reads that waited on a replica for the session's own writes.",
     [](RouterRef r) { return as_number(r.own_writes_waited_total); }},
    {"trilith_sql_own_writes_to_primary_total",
     counter,
     "Reads that went to the primary because no replica had the session's own writes in time.",
     [](RouterRef r) { return as_number(r.own_writes_to_primary_total); }},
    {"trilith_sql_repeated_total",
     counter,
     "Statements that ran again because a server was lost or had become read-only.",
     [](RouterRef r) { return as_number(r.repeated_total); }},
    {"trilith_sql_held_total",
     counter,
     "Statements that waited for a primary.",
     [](RouterRef r) { return as_number(r.held_total); }},
    {"trilith_sql_held_in_vain_total",
     counter,
     "Statements that waited for a primary until their time was over.",
     [](RouterRef r) { return as_number(r.held_in_vain_total); }},
};

// ProxySQL's host groups are numbers that its operator chose; here they are what a server is.
std::string_view hostgroup(NodeRef server) { return server.state; }

// ProxySQL's numbers: ONLINE, SHUNNED, OFFLINE_SOFT, OFFLINE_HARD.
double proxysql_state(NodeRef server) {
    if (server.override.admin == "disable") {
        return 4;
    }
    if (server.override.admin == "drain" || server.state == "removed") {
        return 3;
    }
    return server.state == "primary" || server.is_fit ? 1 : 2;
}

constexpr RouterFamily<RouterNodeStatus> kNodes[]{
    {"proxysql_connpool_conns_queries_total",
     counter,
     "Statements sent.",
     [](NodeRef s) { return as_number(s.statements_total); }},
    {"trilith_sql_node_prepared_total",
     counter,
     "Statements that the router prepared for an execution on another connection.",
     [](NodeRef s) { return as_number(s.prepared_total); }},
    {"trilith_sql_pool_waiting",
     gauge,
     "Sessions that wait for a connection.",
     [](NodeRef s) { return as_number(s.waiting); }},
    {"trilith_sql_pool_waited_total",
     counter,
     "Statements that had to wait for a connection.",
     [](NodeRef s) { return as_number(s.waited_total); }},
    {"trilith_sql_pool_timeouts_total",
     counter,
     "Statements that waited for a connection until database.pool.queue_timeout.",
     [](NodeRef s) { return as_number(s.waited_in_vain_total); }},
    {"trilith_sql_server_fit",
     gauge,
     "1: a replica that may serve reads.",
     [](NodeRef s) { return as_number(s.is_fit); }},
    {"trilith_sql_server_in_rotation",
     gauge,
     "1: reads are spread over it.",
     [](NodeRef s) { return as_number(s.is_in_rotation); }},
    {"trilith_sql_server_weight",
     gauge,
     "Weight of reads, as configured or overridden.",
     [](NodeRef s) { return as_number(s.weight); }},
    {"trilith_sql_server_configured_weight",
     gauge,
     "Weight of reads as configured.",
     [](NodeRef s) { return as_number(s.configured_weight); }},
    {"trilith_sql_server_overridden",
     gauge,
     "1: an operator changed its weight, drained or disabled it.",
     [](NodeRef s) { return as_number(!s.override.is_empty()); }},
    {"proxysql_connpool_conns_status",
     gauge,
     "1: online, 2: does not answer or is not fit, 3: draining or removed, 4: disabled.",
     proxysql_state},
};

void add_client_totals(PrometheusText& page, RouterRef status) {
    page.family("proxysql_client_connections_total", counter, "Clients that came, and that left badly.");
    page.sample({{"status", "created"}}, as_number(status.clients_total));
    page.sample({{"status", "aborted"}}, as_number(status.clients_lost_total));
    page.family(
        "trilith_sql_reads_total",
        counter,
        "Reads that were free to go anywhere, by where they ran."
    );
    page.sample({{"target", "replica"}}, as_number(status.reads_on_replicas_total));
    page.sample({{"target", "primary"}}, as_number(status.reads_on_primary_total));
    page.family("trilith_sql_statements_total", counter, "Statements by what they do.");
    for (size_t verb = 0; verb < status.verbs.size(); ++verb) {
        std::string_view name = sql::verb_name(static_cast<sql::Verb>(verb));
        page.sample({{"verb", name}}, as_number(status.verbs[verb]));
    }
    page.family(
        "trilith_sql_pins_total",
        counter,
        "How often a session was bound to its connection, and why."
    );
    for (size_t pin = 0; pin < status.pinned.size(); ++pin) {
        std::string_view name = sql::pin_name(static_cast<sql::Pin>(pin));
        page.sample({{"reason", name}}, as_number(status.pinned[pin]));
    }
    page.family("trilith_sql_pinned_sessions", gauge, "Sessions that keep their connection now, and why.");
    for (const PinnedSessions& pinned : pinned_sessions(status)) {
        page.sample({{"reason", pinned.reason}}, as_number(pinned.sessions));
    }
}

void add_nodes(PrometheusText& page, RouterRef status) {
    auto each = [&](auto visit) {
        for (NodeRef server : status.nodes) {
            visit(
                server,
                MetricLabel{"hostgroup", hostgroup(server)},
                MetricLabel{"endpoint", server.address}
            );
        }
    };
    for (const auto& family : kNodes) {
        page.family(family.name, family.kind, family.help);
        each([&](NodeRef server, MetricLabel group, MetricLabel endpoint) {
            page.sample({group, endpoint}, family.value(server));
        });
    }
    page.family("proxysql_connpool_conns", gauge, "Connections to the server now.");
    each([&](NodeRef server, MetricLabel group, MetricLabel endpoint) {
        int64_t used = server.connections - server.connections_idle;
        page.sample({group, endpoint, {"status", "used"}}, as_number(used));
        page.sample({group, endpoint, {"status", "free"}}, as_number(server.connections_idle));
    });
    page.family(
        "proxysql_connpool_conns_total",
        counter,
        "Connections that were made, and that could not be."
    );
    each([&](NodeRef server, MetricLabel group, MetricLabel endpoint) {
        page.sample({group, endpoint, {"status", "ok"}}, as_number(server.connections_total));
        page.sample({group, endpoint, {"status", "err"}}, as_number(server.connections_failed_total));
    });
    page.family("proxysql_connpool_data_bytes_total", counter, "Bytes of commands and of responses.");
    each([&](NodeRef server, MetricLabel group, MetricLabel endpoint) {
        page.sample({group, endpoint, {"traffic_flow", "sent"}}, as_number(server.bytes_out_total));
        page.sample({group, endpoint, {"traffic_flow", "recv"}}, as_number(server.bytes_in_total));
    });
    page.family(
        "trilith_sql_replica_lag_seconds",
        gauge,
        "How far a replica is behind; not there if not known."
    );
    each([&](NodeRef server, MetricLabel group, MetricLabel endpoint) {
        if (server.lag) {
            page.sample({group, endpoint}, std::chrono::duration<double>(*server.lag).count());
        }
    });
}

}  // namespace

void add_router(PrometheusText& page, const RouterStatus& status) {
    for (const auto& family : kRouter) {
        page.family(family.name, family.kind, family.help);
        page.sample({}, family.value(status));
    }
    add_client_totals(page, status);
    add_nodes(page, status);
}

}  // namespace node
