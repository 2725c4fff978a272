#include "node/serve/site_program.h"

#include "runtime/task_group.h"

namespace node {

SiteProgram::SiteProgram(
    runtime::Reactor& reactor,
    core::Log& log,
    const app::Config& config,
    app::SupervisorOptions options,
    std::vector<Front*> fronts
)
    : reactor_(reactor),
      fronts_(std::move(fronts)),
      supervisor_(reactor, log, config, std::move(options), *this),
      restart_wanted_(reactor) {}

SiteProgram::~SiteProgram() = default;

runtime::Task<void> SiteProgram::serve() {
    runtime::TaskGroup orders(reactor_, 1);
    orders.spawn(follow_restarts());
    co_await supervisor_.serve();
    orders.request_stop();
    co_await orders.join();
}

core::Result<uint64_t> SiteProgram::begin_restart() {
    if (restart_.is_running) {
        return core::fail(core::ErrorKind::conflict, "a restart of the application runs already");
    }
    restart_ = {.number = restart_.number + 1, .is_running = true, .sentences = {}, .error = {}};
    restart_wanted_.set();
    return restart_.number;
}

runtime::Task<void> SiteProgram::follow_restarts() {
    while (co_await restart_wanted_.wait() == runtime::Outcome::ready) {
        auto done = co_await supervisor_.restart();
        if (done) {
            restart_.sentences = *std::move(done);
        } else {
            restart_.error = done.error().context();
        }
        restart_.is_running = false;
    }
}

runtime::Task<core::Result<void>> SiteProgram::probe(
    net::Address address,
    std::string path,
    core::Duration timeout
) {
    co_return co_await fronts_.front()->director().check_once(std::move(address), std::move(path), timeout);
}

void SiteProgram::publish(std::vector<upstream::BackendConfig> endpoints) {
    for (Front* front : fronts_) {
        front->set_backends(kAppPool, endpoints);
    }
}

runtime::Task<void> SiteProgram::drained(net::Address address, core::Instant deadline) {
    for (Front* front : fronts_) {
        co_await front->drained(address, deadline);
    }
}

AppStatus SiteProgram::status() const {
    AppStatus status{.instances = {}, .restart = restart_};
    core::Instant now = reactor_.now();
    for (const app::InstanceStatus& instance : supervisor_.status()) {
        status.instances.push_back({
            .name = instance.name,
            .pid = instance.pid,
            .state = std::string(app::state_name(instance.state)),
            .since_change = now - instance.since,
            .restarts_total = instance.restarts,
            .generation = instance.generation,
            .memory_bytes = instance.memory_bytes,
            .address = instance.address.to_string(),
            .last_end = instance.last_end,
        });
    }
    return status;
}

}  // namespace node
