// The ordered end of the servers that `trilith up` runs: first every balancer, then the web servers, the
// programs, the SQL routers, then the database primary. Each step ends on all servers before the next begins;
// what is left then, the replicas, ends with the processes.
#pragma once

#include <string>
#include <vector>

#include "core/log.h"
#include "core/result.h"
#include "core/units.h"
#include "node/config/config.h"
#include "node/control/stop_stage.h"
#include "node/serve/site_paths.h"
#include "runtime/os.h"

namespace node {

class UpStop {
public:
    // The references outlive it. Without `paths` no server can be asked.
    UpStop(runtime::Os& os, core::Log& log, const Config& config, const SitePaths* paths);

    // Begins; each process is one of `running` as long as it runs.
    void begin();
    // Leaves the steps that are not done: the processes end at once.
    void give_up() { stage_ = StopStage::all; }
    [[nodiscard]] bool is_running() const { return stage_ != StopStage::none && stage_ != StopStage::all; }

    // Asks those that still run, and goes on as far as it goes at once; to be called again and again until it
    // gives true: all steps are done, and the processes may end. Blocks for as long as servers take to
    // answer, a second each at most.
    [[nodiscard]] bool look(const std::vector<std::string>& running);

private:
    [[nodiscard]] bool has_reached(const std::string& server);
    void tell_silent(const std::string& server, const core::Error& why);
    [[nodiscard]] std::vector<std::string> with_part(const std::vector<std::string>& servers) const;
    void end_stage(const std::vector<std::string>& running, bool is_late);

    runtime::Os& os_;
    core::Log& log_;
    const Config& config_;
    const SitePaths* paths_;
    core::Duration stage_max_;
    StopStage stage_ = StopStage::none;
    core::Instant began_{};            // the stage
    std::vector<std::string> silent_;  // who once did not answer
};

}  // namespace node
