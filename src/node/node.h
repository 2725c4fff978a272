// One server of the site: wires its configuration, cores, pools, control and log together. Only this folder
// knows all tiers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "balancer/pool_director.h"
#include "balancer/shared.h"
#include "balancer/snapshot.h"
#include "balancer/worker.h"
#include "core/log.h"
#include "node/config.h"
#include "node/control_json.h"
#include "node/log_sink.h"
#include "node/override_store.h"
#include "node/status.h"
#include "runtime/event.h"
#include "runtime/reactor.h"

namespace node {

// What a node lives in: the same node runs on the real system and in simulation.
struct NodeWorld {
    runtime::Reactor& control;
    std::vector<runtime::Reactor*> cores;  // at least one; may be the control reactor itself in simulation
    core::Log& log;
    LogSink& access_log;           // outlives the node's cores
    OverrideStore* overrides;      // null: nothing is kept
    uint32_t connections_max = 0;  // clients at a time where the system allows fewer than configured; 0: as
                                   // configured
};

class Node final : private balancer::ControlLink {
public:
    // Opens the listeners, so that an occupied port or a missing privilege shows before anything runs.
    [[nodiscard]] static core::Result<std::unique_ptr<Node>> open(
        Config config,
        std::string server_name,
        std::string config_file,
        const NodeWorld& world
    );
    ~Node() override;

    // The root task of each core.
    [[nodiscard]] runtime::Task<void> serve_core(size_t index);
    // Runs the checks, until all cores have ended after shut_down().
    [[nodiscard]] runtime::Task<void> serve_control();

    // Stops accepting, lets running requests end within balancer.timeouts.drain. A second call cuts them.
    void shut_down();
    [[nodiscard]] bool is_shutting_down() const { return is_shutting_down_; }
    // True when requests had to be cut at the end of the drain.
    [[nodiscard]] bool was_cut() const { return was_cut_; }

    // Reads the file again and takes over what can be changed while running; all or nothing.
    [[nodiscard]] ReloadReply reload();
    [[nodiscard]] ReloadReply apply(Config config);

    // Operator's orders; NAME or POOL/NAME. The sentence says what changed.
    [[nodiscard]] core::Result<BackendChange> set_weight(std::string_view name, uint32_t weight);
    [[nodiscard]] core::Result<BackendChange> set_admin(std::string_view name, upstream::AdminState admin);
    [[nodiscard]] core::Result<BackendChange> undo(std::string_view name);
    [[nodiscard]] core::Result<std::vector<BackendChange>> undo_all();

    [[nodiscard]] ServerStatus status() const;
    [[nodiscard]] const std::vector<net::Address>& listening() const { return listening_; }
    [[nodiscard]] const Config& config() const { return config_; }
    [[nodiscard]] const std::string& server_name() const { return server_name_; }

private:
    Node(Config config, std::string server_name, std::string config_file, const NodeWorld& world);

    void report(balancer::BackendFailure failure) override;
    [[nodiscard]] bool write_log(std::string lines) override;

    struct OpenedListener {
        size_t core;
        net::Listener listener;
    };
    // Opens the addresses of `config` that are not listened on yet, on every core.
    [[nodiscard]] core::Result<std::vector<OpenedListener>> open_listeners(const balancer::Config& config);
    void hand_over(std::vector<OpenedListener> opened);
    void close_removed_listeners(const balancer::Config& config);
    void publish_all();
    void publish_pool(std::shared_ptr<const upstream::PoolState> state);
    [[nodiscard]] core::Result<void> override_backend(
        balancer::PoolDirector::Found found,
        const balancer::BackendOverride& override
    );
    [[nodiscard]] balancer::BackendOverride recall(std::string_view pool, std::string_view backend) const;
    [[nodiscard]] core::Result<BackendChange> take_back(balancer::PoolDirector::Found found);
    void core_has_ended();
    void fill_sums(ServerStatus& status) const;

    NodeWorld world_;
    Config config_;
    std::string server_name_;
    std::string config_file_;
    core::Instant started_;
    core::WallTime started_at_;
    balancer::Shared shared_;
    std::shared_ptr<const balancer::Snapshot> snapshot_;
    balancer::PoolDirector director_;
    std::vector<std::unique_ptr<balancer::Worker>> workers_;
    // Parallel: what was asked for (port 0 possible), and what is bound.
    std::vector<net::Address> asked_;
    std::vector<net::Address> listening_;
    runtime::Event cores_ended_;
    size_t cores_running_;
    uint64_t reloads_ = 0;
    bool is_shutting_down_ = false;
    bool was_cut_ = false;
};

}  // namespace node
