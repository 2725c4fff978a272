#include "cluster/tool_runs.h"

#include <format>
#include <memory>

#include "child/environment.h"
#include "cluster/programs.h"

namespace cluster {

using core::ErrorKind;
using core::fail;
using core::Result;
using runtime::Task;

child::RunPlan mariadb_plan(
    const std::string& executable,
    const std::string& directory,
    const std::string& temporary,
    std::vector<std::string> command
) {
    std::vector<std::string> inherited = child::own_environment();
    std::vector<std::pair<std::string, std::string>> configured{
        // In a common one, servers that start remove each other's temporary tables.
        {"TMPDIR", temporary},
        {"PATH", search_path()},
    };
    return {
        .component = "database",
        .executable = executable,
        .spec =
            {.name = "mariadbd",
             .directory = directory,
             .user = std::nullopt,
             .group = {},
             .command = std::move(command)},
        .environment = child::program_environment(
            {.inherited = inherited, .configured = configured, .user = {}, .instance = "mariadbd", .port = {}}
        ),
    };
}

Task<Result<std::string>> ToolRuns::run(std::vector<std::string> command) {
    if (is_stopped_) {
        co_return fail(ErrorKind::cancelled, "the server stops");
    }
    std::string name = command.front().substr(command.front().rfind('/') + 1);
    child::RunPlan plan = mariadb_plan(executable_, directory_, directory_ + "/tmp", std::move(command));
    plan.output = child::OutputUse::kept;
    auto started = child::ProgramRun::start(reactor_, log_, std::move(plan));
    if (!started) {
        co_return fail(std::move(started).error());
    }
    std::unique_ptr<child::ProgramRun> run = *std::move(started);
    running_.push_back(run.get());
    co_await run->serve();
    std::erase(running_, run.get());
    if (is_stopped_) {
        co_return fail(ErrorKind::cancelled, "the server stops");
    }
    std::string words = run->last_lines().text();
    if (run->end().cause != child::EndCause::exited || run->end().how != "exited with status 0") {
        co_return fail(ErrorKind::io, std::format("{} {}: {}", name, run->end().how, words));
    }
    co_return words;
}

void ToolRuns::kill() {
    for (child::ProgramRun* run : running_) {
        run->kill_all();
    }
}

void ToolRuns::stop() {
    is_stopped_ = true;
    kill();
}

}  // namespace cluster
