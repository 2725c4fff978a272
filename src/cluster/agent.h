// Keeps the mariadbd of one server: makes its data directory once, starts it read-only with its replication
// stopped, and starts it again when it ends. Who is primary is the leader's matter: an agent only sees to it
// that a server starts in the way that its recorded standing wants (start_role()).
//
// A server's directory:
//
//   owner      whose data they are (settings.h)
//   data/      mariadbd's own (data_maker.h)
//   data.aside-N/  what were its data before an order had them replaced
//   my.cnf     written at each start
//   lock       locked as long as a mariadbd may write here: it inherits the lock
//   socket     for tools on this machine
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "child/program_run.h"
#include "cluster/config.h"
#include "cluster/secrets.h"
#include "cluster/store.h"
#include "cluster/tool_runs.h"
#include "core/log.h"
#include "runtime/event.h"
#include "runtime/task.h"

namespace cluster {

struct AgentOptions {
    std::string site;
    Place place;
    std::vector<Place> places;                  // of all servers
    std::string shared;                         // directory of what the site's servers share
    std::string executable = "/proc/self/exe";  // what runs the verb exec-child
};

struct AgentStatus {
    std::string state;     // preparing, starting, running, waiting, blocked, stopped
    std::string sentence;  // why, with the cure where it is blocked
    uint64_t starts = 0;
    uint64_t free_bytes = 0;  // where its data are
};

class Agent {
public:
    // The references outlive the agent.
    Agent(
        runtime::Reactor& reactor,
        core::Log& log,
        const Config& config,
        const Secrets& secrets,
        AgentOptions options
    );
    ~Agent();
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    // Until request_stop() and the end of mariadbd.
    [[nodiscard]] runtime::Task<void> serve();
    void request_stop();
    // The same of a primary that nobody uses any more and in whose place nobody is put: it ends when every
    // replica has all that it wrote (SHUTDOWN WAIT FOR ALL SLAVES); after a bound it is killed all the same.
    void request_orderly_stop();
    // Of a stop, begun or to come: mariadbd is killed.
    void hurry();

    [[nodiscard]] const AgentStatus& status() const { return status_; }
    // serve() is over.
    [[nodiscard]] bool has_ended() const { return has_ended_; }
    // Of mariadbd; 0: it does not run.
    [[nodiscard]] pid_t pid() const { return run_ == nullptr ? 0 : run_->pid(); }

private:
    [[nodiscard]] runtime::Task<core::Result<void>> prepare();
    [[nodiscard]] core::Result<void> check_owner() const;
    [[nodiscard]] runtime::Task<core::Result<void>> make_data();
    [[nodiscard]] core::Result<void> put_aside(uint64_t renewal);
    [[nodiscard]] bool is_to_be_renewed() const;
    [[nodiscard]] runtime::Task<core::Result<void>> check_version();
    [[nodiscard]] core::Result<std::unique_ptr<child::ProgramRun>> start(runtime::Descriptor lock);
    [[nodiscard]] runtime::Task<void> run_once();
    [[nodiscard]] runtime::Task<void> stop_when_asked(child::ProgramRun& run);
    [[nodiscard]] runtime::Task<bool> ask_to_shut_down();
    void look_at_disk();
    void tell(std::string state, std::string sentence);

    runtime::Reactor& reactor_;
    core::Log& log_;
    const Config& config_;
    const Secrets& secrets_;
    AgentOptions options_;
    Store store_;
    ToolRuns tools_;
    AgentStatus status_;
    std::string mariadbd_;          // the program's path, once its version is known to be good
    uint32_t ends_ = 0;             // in a row, soon after the start
    bool has_to_keep_all_ = false;  // see cannot_take_back()
    bool is_disk_low_ = false;
    bool is_stopping_ = false;
    bool is_orderly_ = false;
    bool has_ended_ = false;
    bool is_hurried_ = false;
    runtime::Event stopping_;
    std::unique_ptr<child::ProgramRun> run_;
};

}  // namespace cluster
