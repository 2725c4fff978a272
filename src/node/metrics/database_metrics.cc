#include "node/metrics/database_metrics.h"

namespace node {

namespace {

using enum MetricKind;

void single(
    PrometheusText& page,
    std::string_view name,
    MetricKind kind,
    std::string_view help,
    double value
) {
    page.family(name, kind, help);
    page.sample({}, value);
}

void add_agent(PrometheusText& page, const DatabaseAgentStatus& agent) {
    single(
        page,
        "trilith_db_mariadbd_up",
        gauge,
        "1: this server's mariadbd runs.",
        metric_number(agent.state == "running")
    );
    single(
        page,
        "trilith_db_mariadbd_starts_total",
        counter,
        "How often this server's mariadbd was started.",
        metric_number(agent.starts_total)
    );
    single(
        page,
        "trilith_db_free_bytes",
        gauge,
        "Bytes that are free where this server's data are.",
        metric_number(agent.free_bytes)
    );
}

// What the leader alone knows.
void add_view(PrometheusText& page, const DatabaseStatus& status) {
    single(
        page,
        "trilith_db_failover_ready",
        gauge,
        "1: the primary would be replaced if it failed now.",
        metric_number(status.no_failover.empty())
    );
    single(
        page,
        "trilith_db_write_seconds",
        gauge,
        "How long the last write of one row at the primary took, or one under way has been waiting.",
        std::chrono::duration<double>(status.write_took).count()
    );
    page.family("trilith_db_server_drift", gauge, "1: settings of ours were changed while it runs.");
    for (const DatabaseServerStatus& server : status.servers) {
        page.sample({{"db", server.server}}, metric_number(!server.drift.empty()));
    }
    page.family("trilith_db_server_standing", gauge, "What each server is, per standing label value.");
    for (const DatabaseServerStatus& server : status.servers) {
        page.sample({{"db", server.server}, {"standing", server.standing}}, 1);
    }
    page.family("trilith_db_server_acknowledges", gauge, "1: it acknowledges the primary's writes.");
    for (const DatabaseServerStatus& server : status.servers) {
        page.sample({{"db", server.server}}, metric_number(server.acknowledges));
    }
}

}  // namespace

void add_database(PrometheusText& page, const DatabaseStatus& status) {
    single(
        page,
        "trilith_db_epoch",
        gauge,
        "The number of the primary's reign.",
        metric_number(status.epoch)
    );
    single(
        page,
        "trilith_db_lossless",
        gauge,
        "1: an acknowledged write is on a replica, too. 0: perhaps on the primary alone.",
        metric_number(status.epoch > 0 && status.durability == "lossless")
    );
    single(
        page,
        "trilith_db_gate_open",
        gauge,
        "1: routers begin new work on the primary.",
        metric_number(status.gate == "open")
    );
    single(
        page,
        "trilith_db_leads",
        gauge,
        "1: this server decides about the cluster.",
        metric_number(status.leads)
    );
    if (status.agent) {
        add_agent(page, *status.agent);
    }
    if (status.leads) {
        add_view(page, status);
    }
}

}  // namespace node
