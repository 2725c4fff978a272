// One server of the site: wires its configuration, its fronts, the site's program, control and log together.
// Only this folder knows all tiers.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/log.h"
#include "node/config/config.h"
#include "node/control/json.h"
#include "node/control/stop_stage.h"
#include "node/log/sink.h"
#include "node/serve/backend_name.h"
#include "node/serve/database_keeper.h"
#include "node/serve/front.h"
#include "node/serve/override_store.h"
#include "node/serve/server_parts.h"
#include "node/serve/site_program.h"
#include "node/serve/sql_router.h"
#include "node/serve/user_rule.h"
#include "node/status/status.h"
#include "runtime/event.h"
#include "runtime/reactor.h"

namespace node {

// What a node lives in: the same node runs on the real system and in simulation.
struct NodeWorld {
    runtime::Reactor& control;
    std::vector<runtime::Reactor*> cores;  // at least one; may be the control reactor itself in simulation
    core::Log& log;
    LogSink& access_log;           // outlives the node's cores
    std::function<LogLosses()> log_losses{};  // of the server's own log; empty: it loses nothing
    OverrideStore* overrides;      // null: nothing is kept
    uint32_t connections_max = 0;  // clients at a time where the system allows fewer than configured; 0: as
                                   // configured
    std::string programs_directory{};  // where the sockets of the site's program lie; exists
    std::string database_directory{};  // of what the site's servers share of their databases
    Users users{};                     // whom we become before the cores run, and whom the program runs as
};

class Node final {
public:
    // Opens the listeners, so that an occupied port or a missing privilege shows before anything runs.
    // `server_name` is one of config.servers.
    [[nodiscard]] static core::Result<std::unique_ptr<Node>> open(
        Config config,
        std::string server_name,
        std::string config_file,
        const NodeWorld& world
    );
    ~Node();

    // The root task of each core.
    [[nodiscard]] runtime::Task<void> serve_core(size_t index);
    // Runs the checks and the site's program, until all cores have ended after shut_down().
    [[nodiscard]] runtime::Task<void> serve_control();

    // Ends everything, stage by stage: stops accepting, lets running requests end within the tier's
    // timeouts.drain, and so on (StopStage). A second call cuts what still runs.
    void shut_down();
    // The same to this stage and no further, until a later one is ordered. Gives what has been reached.
    [[nodiscard]] StopStage stop_through(StopStage stage);
    [[nodiscard]] bool is_shutting_down() const { return stop_ordered_ != StopStage::none; }
    // True when requests had to be cut at the end of the drain.
    [[nodiscard]] bool was_cut() const { return was_cut_; }

    // Reads the file again and takes over what can be changed while running; all or nothing.
    [[nodiscard]] ReloadReply reload();
    [[nodiscard]] ReloadReply apply(Config config);

    // Operator's orders. A name is a server of the site (of it: what here is sent to it, see parts_of()),
    // NAME or POOL/NAME. The sentences say what changed.
    [[nodiscard]] core::Result<OrderReply> set_weight(std::string_view name, uint32_t weight);
    [[nodiscard]] core::Result<OrderReply> set_admin(std::string_view name, upstream::AdminState admin);
    [[nodiscard]] core::Result<OrderReply> undo(std::string_view name);
    [[nodiscard]] core::Result<OrderReply> undo_all();
    // Begins to replace the instances of the site's program, see SiteProgram. not_found: none runs here.
    [[nodiscard]] core::Result<uint64_t> begin_restart();

    // Null: the site keeps no databases.
    [[nodiscard]] DatabaseKeeper* database() { return database_.get(); }

    [[nodiscard]] ServerStatus status() const;
    [[nodiscard]] std::vector<net::Address> listening() const;
    [[nodiscard]] const Config& config() const { return config_; }
    [[nodiscard]] const std::string& server_name() const { return server_name_; }

private:
    Node(Config config, std::string server_name, std::string config_file, const NodeWorld& world);

    [[nodiscard]] core::Result<void> open_fronts();
    [[nodiscard]] core::Result<void> open_database();
    [[nodiscard]] core::Result<void> open_program();
    [[nodiscard]] app::Config program_config() const;
    [[nodiscard]] core::Result<void> open_router();
    [[nodiscard]] sql::Config router_config(const Config& site) const;
    [[nodiscard]] core::Result<std::vector<Front::Staged>> stage(const Config& config);
    [[nodiscard]] core::Result<std::optional<SqlRouter::Staged>> stage_router(const Config& config) const;
    [[nodiscard]] const ServerConfig& self(const Config& config) const;
    [[nodiscard]] core::Result<void> override_backends(std::span<const OverrideChange> changes);
    [[nodiscard]] BackendOwners backend_owners() const;
    [[nodiscard]] balancer::BackendOverride recall(std::string_view pool, std::string_view backend) const;
    [[nodiscard]] core::Result<OrderTargets> find_targets(std::string_view name) const;
    [[nodiscard]] core::Result<OrderReply> carry_out(
        OrderTargets targets,
        std::vector<OverrideChange> changes
    );
    [[nodiscard]] std::string primary_remark(const FoundBackend& found) const;
    void front_has_ended(size_t front);
    void router_has_ended();
    [[nodiscard]] runtime::Task<void> serve_front(size_t front, size_t core);
    [[nodiscard]] runtime::Task<void> serve_router(size_t core);
    // serve/node_stop.cc
    void order_stop(StopStage stage);
    void hurry();
    struct Ending;
    [[nodiscard]] runtime::Task<void> stop_in_order(Ending& ending);
    [[nodiscard]] runtime::Task<void> await_order(StopStage stage);
    [[nodiscard]] runtime::Task<void> end_fronts(StopStage stage);
    [[nodiscard]] runtime::Task<void> end_router();
    [[nodiscard]] runtime::Task<void> end_primary();

    NodeWorld world_;
    Config config_;
    std::string server_name_;
    std::string config_file_;
    core::Instant started_;
    core::WallTime started_at_;
    std::vector<PlannedServer> whiteboard_;
    std::vector<std::unique_ptr<Front>> fronts_;  // none, where the server is a SQL router only
    std::unique_ptr<DatabaseKeeper> database_;    // null: the site keeps no databases
    std::unique_ptr<SiteProgram> program_;        // null: this server runs none
    std::unique_ptr<SqlRouter> router_;           // null: this server has none
    std::vector<size_t> front_cores_;             // parallel to fronts_: on how many cores each still runs
    size_t router_cores_ = 0;                     // the same
    StopStage stop_ordered_ = StopStage::none;
    StopStage stop_reached_ = StopStage::none;
    bool is_hurried_ = false;
    runtime::Event stop_moved_;  // an order has come, or something has ended
    uint64_t reloads_ = 0;
    bool was_cut_ = false;
};

}  // namespace node
