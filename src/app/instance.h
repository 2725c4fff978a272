// One instance: its slot's socket, and the program on it, started again as often as it ends.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/config.h"
#include "app/instance_state.h"
#include "app/listening_socket.h"
#include "app/supervisor.h"
#include "child/memory_groups.h"
#include "child/program_run.h"
#include "core/log.h"
#include "net/address.h"
#include "runtime/event.h"
#include "runtime/reactor.h"
#include "runtime/task.h"

namespace app {

// What all instances of a supervisor share; outlives them.
struct InstanceWorld {
    runtime::Reactor& reactor;
    core::Log& log;
    const Config& config;
    const SupervisorOptions& options;
    Surroundings& surroundings;
    const child::MemoryGroups* groups;  // null: no cgroups
    int directory;                      // where the program runs, open; -1: not there
    std::function<void()> on_change;    // the state of an instance changed
};

// An instance that has been down for longer gives its requests to the others, if there are any that are up.
inline constexpr core::Duration kPatience = 1s;

class Instance {
public:
    // A trial (of a rolling restart) ends for good when it does not become healthy the first time; any other
    // is tried again and again.
    enum class Kind : uint8_t { lasting, trial };

    Instance(InstanceWorld& world, size_t slot, uint64_t generation, Kind kind);

    // Runs it until request_stop(), or until a trial has failed. All processes are gone then.
    [[nodiscard]] runtime::Task<void> serve();
    void request_stop();
    // The same, and what is left of [app] stop.within is not waited for.
    void hurry();

    // serve() has ended and nothing of it runs; set by whoever ran it.
    bool is_joined = false;

    [[nodiscard]] const std::string& name() const { return name_; }

    [[nodiscard]] uint64_t generation() const { return generation_; }

    [[nodiscard]] const net::Address& address() const { return address_; }

    [[nodiscard]] InstanceState state() const { return track_.state(); }

    // Requests sent to its address are answered, or wait for it: it has been healthy, and is not being
    // stopped. A program that opens its port itself takes them only while it is up.
    [[nodiscard]] bool takes_requests() const;
    // It has not been up for longer than kPatience, or will not be.
    [[nodiscard]] bool is_down_for_long() const;

    // How its last run ended, with its last lines; for a trial that failed.
    [[nodiscard]] const std::string& last_failure() const { return last_failure_; }

    [[nodiscard]] InstanceStatus status() const;

private:
    enum class Gate : uint8_t {
        closed,
        passed,
        failed,  // not in time
        lost,    // passed, and later no check was good for too long
    };

    struct Deadlines {
        core::Instant kill_at = core::Instant::never();
        core::Instant kill_guard_at = core::Instant::never();
    };

    [[nodiscard]] core::Result<void> open_socket();
    [[nodiscard]] core::Result<child::RunPlan> plan_run();
    [[nodiscard]] core::Result<std::unique_ptr<child::ProgramRun>> start_run();
    runtime::Task<child::RunEnd> run_once();
    runtime::Task<void> follow(child::ProgramRun& run);
    runtime::Task<void> watch_health();
    runtime::Task<bool> pass_gate();
    runtime::Task<void> await_loss();
    runtime::Task<void> attend(child::ProgramRun& run);
    void stop_if_asked(child::ProgramRun& run, Deadlines& deadlines);
    void on_gate();
    [[nodiscard]] core::Instant next_look(const Deadlines& deadlines) const;
    runtime::Task<void> pause_until(core::Instant when);
    void log_report(const std::optional<Report>& report);

    InstanceWorld& world_;
    size_t slot_;
    uint64_t generation_;
    Kind kind_;
    std::string name_;
    std::optional<ListeningSocket> socket_;
    net::Address address_;
    InstanceTrack track_;
    runtime::Event changed_;
    bool is_stopping_ = false;
    bool is_hurried_ = false;
    Gate gate_ = Gate::closed;
    std::string gate_failure_;
    std::unique_ptr<child::ProgramRun> run_;
    std::string last_failure_;
    std::string last_lines_;
};

}  // namespace app
