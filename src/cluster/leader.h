// The leader of the cluster: stands for the lease, and while it has it looks at all servers, decides
// (decide.h) and does what was decided.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cluster/config.h"
#include "cluster/decide.h"
#include "cluster/secrets.h"
#include "cluster/server_line.h"
#include "cluster/store.h"
#include "core/log.h"
#include "net/read_buffer.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "runtime/task_group.h"

namespace cluster {

struct LeaderStatus {
    bool leads = false;
    std::string sentence;     // what is done or awaited
    std::string no_failover;  // why the primary would not be replaced now; empty: it would
    std::vector<View> views;  // of each server, in the order of the configuration
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

    [[nodiscard]] LeaderStatus status() const;

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
    bool is_failing_ = false;      // a step has failed: the next try waits a moment
};

}  // namespace cluster
