// Writes what a server has and its primary has not to files, so that it can be looked at, and given back with
// the mariadb client, whatever becomes of the server's data. It is read from the server itself, like a
// replica would.
#pragma once

#include <string>
#include <vector>

#include "cluster/config.h"
#include "cluster/extra.h"
#include "cluster/secrets.h"
#include "cluster/tool_runs.h"
#include "core/log.h"
#include "runtime/task.h"

namespace cluster {

// The file of some extra transactions: "SHARED/aside/db1-0-985333760-115.sql".
[[nodiscard]] std::string aside_file(const std::string& shared, std::string_view server, const Extra& extra);

// Whether all of them are in their files.
[[nodiscard]] bool is_set_aside(
    const std::string& shared,
    std::string_view server,
    const std::vector<Extra>& extra
);

class SetAside {
public:
    // The references outlive it.
    SetAside(
        runtime::Reactor& reactor,
        core::Log& log,
        const Secrets& secrets,
        std::string shared,
        std::string executable = "/proc/self/exe"
    );

    // Writes each to its file where it is missing. `first_log`: the oldest binlog that the server has. An
    // error tells what could not be done.
    [[nodiscard]] runtime::Task<core::Result<void>> save(
        const Place& place,
        const std::vector<Extra>& extra,
        const std::string& first_log
    );

    // Kills what runs.
    void stop() { tools_.stop(); }

private:
    [[nodiscard]] runtime::Task<core::Result<void>> save_one(
        const Place& place,
        const Extra& extra,
        const std::string& first_log
    );

    core::Log& log_;
    const Secrets& secrets_;
    std::string shared_;
    ToolRuns tools_;
};

}  // namespace cluster
