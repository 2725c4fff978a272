#include "node/serve/database_keeper.h"

#include <algorithm>
#include <format>

#include "cluster/settings.h"
#include "core/panic.h"
#include "node/config/cluster.h"
#include "node/config/database.h"
#include "node/serve/sql_router.h"

namespace node {

using upstream::Topology;

namespace {

// Besides notifications: of a record that could not be read, or whose notification was missed.
constexpr core::Duration kRecordLook = std::chrono::milliseconds(500);
constexpr core::Duration kEndLook = std::chrono::milliseconds(5);

sql::Appointment appointment_of(const Topology& topology, const std::vector<cluster::Place>& places) {
    sql::Appointment appointment;
    if (topology.epoch == 0) {
        appointment.why = "the database cluster is being brought up";
        return appointment;
    }
    auto found = std::ranges::find(places, topology.primary, &cluster::Place::server);
    if (found == places.end()) {
        appointment.why = topology.primary + " is primary, and not in this server's configuration";
        return appointment;
    }
    appointment.primary = found->database;
    appointment.is_held = topology.gate == upstream::Gate::held;
    appointment.why = appointment.is_held ? "the primary is being moved" : "";
    return appointment;
}

}  // namespace

DatabaseKeeper::DatabaseKeeper(const Config& config, const ServerConfig& server, const DatabaseWorld& world)
    : config_(config), server_(server), world_(world), store_(world.reactor.os(), world.shared) {}

DatabaseKeeper::~DatabaseKeeper() = default;

core::Result<std::unique_ptr<DatabaseKeeper>> DatabaseKeeper::open(
    const Config& config,
    const ServerConfig& server,
    const DatabaseWorld& world
) {
    ASSERT(config.cluster.has_value());
    std::unique_ptr<DatabaseKeeper> keeper(new DatabaseKeeper(config, server, world));
    TRY(keeper->secrets_, cluster::prepare_secrets(world.shared, world.reactor.os()));
    if (!server.roles.has(Role::database)) {
        return keeper;
    }
    std::vector<cluster::Place> places = cluster_places(config, world.shared);
    cluster::Place own = *std::ranges::find(places, server.name, &cluster::Place::server);
    keeper->agent_ = std::make_unique<cluster::Agent>(
        world.reactor,
        world.log,
        *keeper->config_.cluster,
        keeper->secrets_,
        cluster::AgentOptions{
            .site = config.site,
            .place = std::move(own),
            .places = places,
            .shared = world.shared,
        }
    );
    keeper->leader_ = std::make_unique<cluster::Leader>(
        world.reactor,
        world.log,
        *keeper->config_.cluster,
        keeper->secrets_,
        std::move(places),
        world.shared
    );
    return keeper;
}

runtime::Task<void> DatabaseKeeper::serve_agent() {
    if (agent_ != nullptr) {
        co_await agent_->serve();
    }
}

runtime::Task<void> DatabaseKeeper::serve_leader() {
    if (leader_ != nullptr) {
        co_await leader_->serve();
    }
}

runtime::Task<void> DatabaseKeeper::serve_router(SqlRouter& router) {
    std::vector<cluster::Place> places = cluster_places(config_, world_.shared);
    auto watch = cluster::StoreWatch::open(world_.reactor, world_.shared);
    if (!watch) {
        world_.log.warn("database", watch.error().context());
    }
    std::optional<uint64_t> version;
    std::string trouble;
    for (;;) {
        auto topology = store_.read();
        if (!topology && topology.error().context() != trouble) {
            trouble = topology.error().context();
            world_.log.error("database", trouble);
        }
        if (topology && topology->version != version) {
            version = topology->version;
            auto confirm = [this, at = *version] {
                if (auto confirmed = store_.confirm(server_.name, at); !confirmed) {
                    world_.log.warn("database", confirmed.error().context());
                }
            };
            router.appoint(appointment_of(*topology, places), std::move(confirm));
        }
        core::Instant next = world_.reactor.housekeeping_in(kRecordLook);
        bool goes_on = watch ? co_await (*watch)->changed(next)
                             : co_await world_.reactor.sleep_until(next) == runtime::Outcome::ready;
        if (!goes_on) {
            co_return;
        }
    }
}

void DatabaseKeeper::request_stop() {
    if (agent_ != nullptr) {
        agent_->request_stop();
    }
}

runtime::Task<void> DatabaseKeeper::end_primary() {
    auto topology = store_.read();
    if (agent_ != nullptr && topology && topology->primary == server_.name) {
        agent_->request_orderly_stop();
        while (!agent_->has_ended()) {
            if (co_await world_.reactor.sleep_for(kEndLook) == runtime::Outcome::cancelled) {
                co_return;
            }
        }
    }
}

void DatabaseKeeper::hurry() {
    if (agent_ != nullptr) {
        agent_->hurry();
    }
}

std::string DatabaseKeeper::router_password_file() const {
    return cluster::secret_file(world_.shared, "router");
}

std::string DatabaseKeeper::program_url() const {
    return std::format(
        "mysql://{}:{}@{}/{}",
        cluster::kAppUser,
        secrets_.app,
        router_listen(config_, server_).front().to_string(),
        config_.cluster->name
    );
}

core::Result<uint64_t> DatabaseKeeper::begin(const cluster::Order& order) {
    if (leader_ == nullptr) {
        return core::fail(core::ErrorKind::not_found, server_.name + " has not the role \"database\"");
    }
    return leader_->begin(order);
}

core::Result<cluster::OrderPlan> DatabaseKeeper::plan(const cluster::Order& order) const {
    if (leader_ == nullptr) {
        return core::fail(core::ErrorKind::not_found, server_.name + " has not the role \"database\"");
    }
    return leader_->dry_run(order);
}

DatabaseStatus DatabaseKeeper::status() const {
    DatabaseStatus status;
    if (agent_ != nullptr) {
        const cluster::AgentStatus& agent = agent_->status();
        status.agent = DatabaseAgentStatus{
            .state = agent.state,
            .reason = agent.sentence,
            .pid = agent_->pid(),
            .starts_total = agent.starts,
            .free_bytes = agent.free_bytes,
        };
    }
    status.client = {
        .user = std::string(cluster::kAdminUser),
        .password_file = cluster::secret_file(world_.shared, "admin"),
        .schema = config_.cluster->name,
    };
    for (const cluster::Place& place : cluster_places(config_, world_.shared)) {
        status.client.addresses.emplace_back(place.server, place.database.to_string());
    }
    auto topology = store_.read();
    if (topology) {
        status.epoch = topology->epoch;
        status.primary = topology->primary;
        status.gate = upstream::gate_name(topology->gate);
        status.durability = upstream::durability_name(topology->durability);
    }
    if (leader_ == nullptr) {
        return status;
    }
    cluster::LeaderStatus leader = leader_->status();
    status.leads = leader.leads;
    status.sentence = leader.sentence;
    status.no_failover = leader.no_failover;
    status.write_took = leader.write_took;
    status.order = {
        .number = leader.order.number,
        .verb = leader.order.number == 0 ? "" : cluster::order_name(leader.order.kind),
        .is_running = leader.order.is_running,
        .sentence = leader.order.sentence,
        .error = leader.order.error,
    };
    for (const cluster::View& view : leader.views) {
        DatabaseServerStatus server{.server = view.server};
        server.standing = topology ? upstream::standing_name(topology->standing_of(view.server)) : "";
        server.answers = view.sight.has_value();
        server.reason = view.why;
        if (view.sight) {
            server.is_read_only = view.sight->is_read_only;
            server.acknowledges = view.sight->acknowledges && view.sight->replicates();
            server.is_armed = view.sight->is_armed;
            view.sight->written.append_to(server.written);
            view.sight->received.append_to(server.received);
            view.sight->applied.append_to(server.applied);
            server.reason = view.sight->error;
        }
        if (auto drift = leader.drift.find(view.server); drift != leader.drift.end()) {
            server.drift = drift->second;
        }
        server.extra = cluster::describe_extra(view.extra);
        if (view.is_set_aside) {
            server.aside = leader_->aside_files(view);
        }
        status.servers.push_back(std::move(server));
    }
    return status;
}

}  // namespace node
