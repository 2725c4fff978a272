// One run of the program behind its guard: from the fork to the end of its last process.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "child/child_spec.h"
#include "child/output_lines.h"
#include "child/run_end.h"
#include "core/log.h"
#include "core/result.h"
#include "runtime/process.h"
#include "runtime/reactor.h"
#include "runtime/task.h"
#include "runtime/watched_descriptor.h"

namespace child {

// What becomes of what the program writes, besides that its last lines are kept.
enum class OutputUse : uint8_t { logged, kept };

struct RunPlan {
    std::string component;   // the section of its configuration, for the log: "app"
    std::string executable;  // what runs the verb exec-child
    ChildSpec spec;          // start() fills in supervisor, channel and listening
    std::vector<std::string> environment;
    int listening = -1;              // handed down; -1: none
    uint64_t memory_limit = 0;       // 0: none
    bool is_memory_watched = false;  // no cgroup keeps the limit: it is looked at
    OutputUse output = OutputUse::logged;
    bool (*is_told)(std::string_view line) = nullptr;  // which lines are logged; null: all
};

class ProgramRun {
public:
    // Starts the guard. An error: there is not even that (processes or descriptors are exhausted).
    [[nodiscard]] static core::Result<std::unique_ptr<ProgramRun>> start(
        runtime::Reactor& reactor,
        core::Log& log,
        RunPlan plan
    );

    ProgramRun(const ProgramRun&) = delete;
    ProgramRun& operator=(const ProgramRun&) = delete;

    // Reads what the program writes and what the guard reports, until every process is gone: then end() says
    // how. Is not to be stopped: kill_all() ends it within seconds.
    [[nodiscard]] runtime::Task<void> serve();

    // Asks the program itself; it may not have begun yet, or have ended.
    void signal(int number);
    // Kills the program and all that descends from it.
    void kill_all();
    // The last means, where a guard does not answer: it dies, and the program with it (by its death signal).
    void kill_guard();

    // We end the run ourselves, and this is why. The first word counts.
    void blame(RunEnd end);

    // 0 until the program runs and after it has ended.
    [[nodiscard]] pid_t pid() const { return program_; }

    [[nodiscard]] pid_t guard() const { return guard_; }

    [[nodiscard]] const LastLines& last_lines() const { return *last_; }

    // After serve().
    [[nodiscard]] const RunEnd& end() const { return *end_; }

    [[nodiscard]] bool is_over() const { return is_over_; }

    [[nodiscard]] uint64_t memory_bytes() const;

private:
    ProgramRun(
        runtime::Reactor& reactor,
        core::Log& log,
        RunPlan plan,
        runtime::Pipe& channel,
        runtime::Pipe& output,
        runtime::Pipe& error
    );

    void order(GuardOrder order);
    void on_report(const GuardReport& report);
    runtime::Task<void> follow_guard();
    runtime::Task<void> follow_output(runtime::WatchedDescriptor& source, std::string_view stream);
    runtime::Task<void> watch_memory();
    void log_line(std::string_view stream, std::string_view line, uint64_t dropped);

    runtime::Reactor& reactor_;
    core::Log& log_;
    RunPlan plan_;
    runtime::WatchedDescriptor channel_;
    runtime::WatchedDescriptor output_;
    runtime::WatchedDescriptor error_;
    std::optional<runtime::WatchedDescriptor> guard_process_;
    pid_t guard_ = 0;
    pid_t program_ = 0;
    bool is_over_ = false;
    std::optional<RunEnd> end_;
    std::unique_ptr<LastLines> last_ = std::make_unique<LastLines>();
};

}  // namespace child
