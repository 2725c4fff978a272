// The site's own program on this server: its supervisor, its place in the pool of a front, the order to
// restart it.
#pragma once

#include <string>
#include <vector>

#include "app/supervisor.h"
#include "core/log.h"
#include "node/config/config.h"
#include "node/serve/front.h"
#include "node/status/status.h"
#include "runtime/event.h"

namespace node {

class SiteProgram final : private app::Surroundings {
public:
    // `fronts`, at least one, have the pool kAppPool; they, `reactor` and `log` outlive the program.
    SiteProgram(
        runtime::Reactor& reactor,
        core::Log& log,
        const app::Config& config,
        app::SupervisorOptions options,
        std::vector<Front*> fronts
    );
    ~SiteProgram() override;

    // Runs it until the fiber is stopped; ends when all its processes have ended.
    [[nodiscard]] runtime::Task<void> serve();

    // Of a stop, begun or to come: what still runs is killed.
    void hurry() { supervisor_.hurry(); }

    // Begins to replace all instances, one after the other; gives the order's number, by which status() tells
    // what became of it. conflict: one runs already.
    [[nodiscard]] core::Result<uint64_t> begin_restart();

    [[nodiscard]] AppStatus status() const;

private:
    runtime::Task<core::Result<void>> probe(net::Address address, std::string path, core::Duration timeout)
        override;
    void publish(std::vector<upstream::BackendConfig> endpoints) override;
    runtime::Task<void> drained(net::Address address, core::Instant deadline) override;

    runtime::Task<void> follow_restarts();

    runtime::Reactor& reactor_;
    std::vector<Front*> fronts_;
    app::Supervisor supervisor_;
    runtime::Event restart_wanted_;
    RestartStatus restart_;
};

}  // namespace node
