// Runs MariaDB's own programs to their end, behind a guard like mariadbd itself.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "child/program_run.h"
#include "core/log.h"
#include "core/result.h"
#include "runtime/reactor.h"
#include "runtime/task.h"

namespace cluster {

// How a program of MariaDB's is started: in `directory`, with its temporary files in `temporary`.
[[nodiscard]] child::RunPlan mariadb_plan(
    const std::string& executable,
    const std::string& directory,
    const std::string& temporary,
    std::vector<std::string> command
);

class ToolRuns {
public:
    // The references outlive it. `executable` runs the verb exec-child.
    ToolRuns(runtime::Reactor& reactor, core::Log& log, std::string executable, std::string directory)
        : reactor_(reactor),
          log_(log),
          executable_(std::move(executable)),
          directory_(std::move(directory)) {}

    // Runs the program to its end: what it wrote last. io: it ended badly, with what it wrote last;
    // cancelled: stop() was called.
    [[nodiscard]] runtime::Task<core::Result<std::string>> run(std::vector<std::string> command);

    // Kills what runs.
    void kill();
    // The same, and lets nothing begin any more.
    void stop();
    [[nodiscard]] bool is_stopped() const { return is_stopped_; }

private:
    runtime::Reactor& reactor_;
    core::Log& log_;
    std::string executable_;
    std::string directory_;
    std::vector<child::ProgramRun*> running_;
    bool is_stopped_ = false;
};

}  // namespace cluster
