// The servers that `trilith up` runs, and what is true of all of them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "core/units.h"
#include "node/control/up_json.h"
#include "node/serve/readiness.h"
#include "node/up/child.h"

namespace node {

// The pause before a server that died is started again: the first, and what it grows to.
inline constexpr core::Duration kFirstRestartPause = std::chrono::milliseconds(250);
inline constexpr core::Duration kLongestRestartPause = std::chrono::seconds(10);

struct UpServer {
    std::string server;
    pid_t pid = 0;  // 0: not running
    core::Instant started;
    core::Instant start_at;  // when it is to be started (again)
    core::Duration pause = kFirstRestartPause;
    ReadyReader readiness{};                         // of the process that runs
    OutputLines output{};                            // of it, where there is a terminal
    bool has_listened = false;                       // some process of it did: file and ports were right
    bool is_told = false;                            // that this process is ready
    core::Instant beat_at = core::Instant::never();  // when it last told that it works; never: not yet
    bool is_told_late = false;
};

using UpServers = std::vector<UpServer>;

[[nodiscard]] std::vector<UpServerStatus> server_statuses(const UpServers& servers);

// The names of those whose process runs.
[[nodiscard]] std::vector<std::string> running_servers(const UpServers& servers);

// To every process that runs.
void signal_all(const UpServers& servers, int number);

}  // namespace node
