// The leader of the cluster: stands for the lease, and while it has it looks at all servers, decides
// (decide.h) and does what was decided.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/config.h"
#include "cluster/decide.h"
#include "cluster/orders.h"
#include "cluster/secrets.h"
#include "cluster/server_line.h"
#include "cluster/set_aside.h"
#include "cluster/store.h"
#include "core/log.h"
#include "net/read_buffer.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "runtime/task_group.h"

namespace cluster {

// A write of one row at the primary, every second.
struct WriteProbe {
    core::Instant began = core::Instant::never();  // of one that is under way
    core::Duration took{};                         // the last one
    bool is_good = true;                           // it was done, and quickly
};

struct LeaderStatus {
    bool leads = false;
    std::string sentence;     // what is done or awaited
    std::string no_failover;  // why the primary would not be replaced now; empty: it would
    std::vector<View> views;  // of each server, in the order of the configuration
    OrderStatus order;
    core::Duration write_took{};               // the last write of one row; or how long it has been waiting
    std::map<std::string, std::string> drift;  // by server: settings of ours that were changed
};

class Leader {
public:
    // The references outlive the leader.
    Leader(
        runtime::Reactor& reactor,
        core::Log& log,
        const Config& config,
        const Secrets& secrets,
        std::vector<Place> places,
        std::string shared
    );
    ~Leader();
    Leader(const Leader&) = delete;
    Leader& operator=(const Leader&) = delete;

    // Until the fiber is stopped; then the lease is free for others.
    [[nodiscard]] runtime::Task<void> serve();

    // Begins what is ordered; gives the order's number, by which status() tells what became of it. The error
    // says why it cannot be done now; conflict also where we do not lead.
    [[nodiscard]] core::Result<uint64_t> begin(const Order& order);
    // What it would do.
    [[nodiscard]] core::Result<OrderPlan> dry_run(const Order& order) const;

    [[nodiscard]] LeaderStatus status() const;
    // The files in which what the server of this view has more than the primary is, or will be.
    [[nodiscard]] std::vector<std::string> aside_files(const View& view) const;

private:
    runtime::Task<void> lead();
    runtime::Task<void> cycle();
    [[nodiscard]] Observation observe() const;
    void release_fences(const Decision& decision);
    void note(const Decision& decision);
    runtime::Task<void> run_steps(const Decision& decision);
    runtime::Task<void> run_step(const Step& step, std::string sentence);
    runtime::Task<core::Result<void>> perform(const Step& step, const std::string& sentence);
    runtime::Task<core::Result<void>> tell(
        const std::string& server,
        std::string statements,
        core::Duration within
    );
    runtime::Task<core::Result<void>> open_for_writes(const Step& step);
    runtime::Task<core::Result<void>> prove(const std::string& witness);
    runtime::Task<core::Result<void>> nudge(const std::string& server, core::Duration within);
    // leader_watch.cc
    [[nodiscard]] bool is_write_expected() const;
    runtime::Task<void> probe_writes();
    runtime::Task<void> watch_settings();
    // leader_orders.cc
    [[nodiscard]] core::Result<OrderPlan> plan(const Order& order) const;
    void end_order(core::Result<std::string> outcome);
    void follow_failover();
    void rejoin();
    [[nodiscard]] bool is_move_due();
    runtime::Task<void> save_extras();
    runtime::Task<void> save_extra(const View& view);
    // leader_switchover.cc
    runtime::Task<void> switch_over();
    runtime::Task<core::Result<void>> await_transactions(const std::string& old);
    runtime::Task<void> kill_transactions(const std::string& old);
    runtime::Task<core::Result<void>> move_primary(const std::string& target);
    runtime::Task<core::Result<std::string>> quiesce(const std::string& old, const std::string& target);
    runtime::Task<core::Result<void>> hand_over(
        const std::string& old,
        const std::string& target,
        const std::string& position
    );
    runtime::Task<core::Result<void>> attach_others(const std::string& target, bool is_lossless);
    runtime::Task<void> follow_quietly(std::string server, std::string source);
    [[nodiscard]] core::Result<void> record(upstream::Topology next, const std::string& sentence);

    [[nodiscard]] core::Result<void> commit(const Step& step, const std::string& sentence);
    [[nodiscard]] core::Result<void> check_epoch(const Step& step) const;
    [[nodiscard]] ServerLine& line_of(const std::string& server);

    runtime::Reactor& reactor_;
    core::Log& log_;
    Policy policy_;
    const Secrets& secrets_;
    std::string shared_directory_;
    Store store_;
    mariadb::LoginAccount account_;
    net::BufferPool buffers_;
    net::SharedReadBuffer shared_buffer_;
    runtime::Event changed_;
    std::vector<std::unique_ptr<ServerLine>> lines_;
    NameSource name_source_;
    core::Instant led_since_{};
    upstream::Topology topology_;  // as read last
    Decision decision_;            // the last one
    OrderStatus order_status_;
    std::optional<Order> order_;      // of the order that runs
    core::Instant order_deadline_{};  // of the wait for what it needs
    uint64_t order_epoch_ = 0;        // in which it was given
    std::unique_ptr<SetAside> set_aside_;
    WriteProbe probe_;
    uint64_t nudges_ = 0;                       // numbers them
    std::map<std::string, std::string> drift_;  // of each server, see settings_drift()
    std::string aside_trouble_;                 // why the last try failed
    bool is_failing_ = false;                   // a step has failed: the next try waits a moment
};

}  // namespace cluster
