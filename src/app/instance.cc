#include "app/instance.h"

#include <algorithm>
#include <format>
#include <utility>

#include "child/environment.h"
#include "child/memory_watch.h"
#include "runtime/task_group.h"

namespace app {

using core::Instant;
using runtime::Outcome;

namespace {

// Between two probes of the gate: short, for it is what a start costs at least.
constexpr core::Duration kGateInterval = 50ms;
// A guard kills for five seconds at most (exec_child.cc) and ends; twice that, and it hangs itself.
constexpr core::Duration kGuardPatience = 10s;

}  // namespace

Instance::Instance(InstanceWorld& world, size_t slot, uint64_t generation, Kind kind)
    : world_(world),
      slot_(slot),
      generation_(generation),
      kind_(kind),
      name_(std::format("app-{}", slot)),
      track_(world.config.restart, world.reactor.now()),
      changed_(world.reactor) {}

void Instance::request_stop() {
    is_stopping_ = true;
    changed_.set();
}

void Instance::hurry() {
    is_hurried_ = true;
    request_stop();
}

bool Instance::takes_requests() const {
    InstanceState state = track_.state();
    if (state == InstanceState::stopping || state == InstanceState::ended || is_stopping_) {
        return false;
    }
    bool waits_for_it = world_.config.listen != Listen::port && track_.has_been_up();
    return state == InstanceState::up || waits_for_it;
}

bool Instance::is_down_for_long() const {
    auto since = track_.down_since();
    return since && (world_.reactor.now() - *since >= kPatience || track_.pause() > kPatience);
}

InstanceStatus Instance::status() const {
    return {
        .name = name_,
        .pid = run_ ? run_->pid() : 0,
        .state = track_.state(),
        .since = track_.since(),
        .restarts = track_.restarts(),
        .generation = generation_,
        .memory_bytes = run_ ? run_->memory_bytes() : 0,
        .address = address_,
        .last_end = track_.last_end(),
    };
}

core::Result<void> Instance::open_socket() {
    runtime::Os& os = world_.reactor.os();
    const SupervisorOptions& options = world_.options;
    if (world_.config.listen == Listen::port) {
        TRY(address_, find_free_port(os, options.host));
        return {};
    }
    if (socket_) {
        return {};
    }
    SocketPlace place{
        .directory = options.runtime_directory,
        .server = options.server,
        .slot = slot_,
        .generation = generation_
    };
    auto opened = world_.config.listen == Listen::tcp ? ListeningSocket::open_tcp(os, options.host)
                                                      : ListeningSocket::open_unix(os, place);
    if (!opened) {
        return core::fail(std::move(opened).error());
    }
    address_ = opened->address();
    socket_.emplace(*std::move(opened));
    return {};
}

core::Result<child::RunPlan> Instance::plan_run() {
    const Config& config = world_.config;
    const SupervisorOptions& options = world_.options;
    std::vector<std::string> inherited = child::own_environment();
    child::EnvironmentFacts facts{
        .inherited = inherited,
        .configured = config.env,
        .user = options.user,
        .instance = name_,
        .port = std::nullopt
    };
    if (config.listen == Listen::port) {
        facts.port = address_.port();
    }
    child::RunPlan plan{
        .component = "app",
        .executable = options.executable,
        .spec =
            {.name = name_,
             .directory = config.directory.empty() ? options.base_directory : config.directory,
             .open_directory = world_.directory,
             .user = options.user,
             .open_files = config.limits.open_files,
             .group = {},
             .command = config.command},
        .environment = child::program_environment(facts),
        .listening = socket_ ? socket_->prepared() : -1,
        .memory_limit = config.limits.memory,
    };
    bool has_limit = config.limits.memory > 0 || config.limits.processes > 0;
    if (has_limit && world_.groups != nullptr) {
        std::string group = std::format("app-{}-{}.{}", options.server, slot_, generation_);
        TRY(plan.spec.group,
            world_.groups
                ->create(group, {.memory = config.limits.memory, .processes = config.limits.processes}));
    } else if (has_limit) {
        plan.spec.processes = config.limits.processes;
        plan.is_memory_watched = config.limits.memory > 0;
        plan.spec.data_bytes = config.limits.memory > 0 ? child::data_limit(config.limits.memory) : 0;
    }
    return plan;
}

core::Result<std::unique_ptr<child::ProgramRun>> Instance::start_run() {
    TRY_VOID(open_socket());
    TRY(child::RunPlan plan, plan_run());
    return child::ProgramRun::start(world_.reactor, world_.log, std::move(plan));
}

runtime::Task<void> Instance::follow(child::ProgramRun& run) {
    co_await run.serve();
    changed_.set();
}

// Stopped when the run is over.
runtime::Task<void> Instance::watch_health() {
    bool has_passed = co_await pass_gate();
    if (has_passed && world_.config.health.restart_after > core::Duration::zero()) {
        co_await await_loss();
    }
}

// Until the program answers, which is true, or `within` has passed. A last look that only had what was left
// of it says less than a whole one before.
runtime::Task<bool> Instance::pass_gate() {
    const HealthCheck& health = world_.config.health;
    Instant deadline = world_.reactor.now() + health.within;
    for (;;) {
        core::Duration left = deadline - world_.reactor.now();
        core::Duration timeout = std::min(health.running.timeout, left);
        auto answer = co_await world_.surroundings.probe(address_, health.path, timeout);
        if (answer) {
            gate_ = Gate::passed;
            break;
        }
        if (gate_failure_.empty() || timeout == health.running.timeout) {
            gate_failure_ = answer.error().context();
        }
        if (co_await world_.reactor.sleep_for(kGateInterval) != Outcome::ready) {
            co_return false;
        }
        if (world_.reactor.now() >= deadline) {
            gate_ = Gate::failed;
            break;
        }
    }
    changed_.set();
    co_return gate_ == Gate::passed;
}

// Until no check has been good for as long as [app] health.restart_after. The checks of the pool, which take
// an instance out, are others: they have no say in who is killed.
runtime::Task<void> Instance::await_loss() {
    const HealthCheck& health = world_.config.health;
    Instant good_at = world_.reactor.now();
    while (world_.reactor.now() - good_at < health.restart_after) {
        if (co_await world_.reactor.sleep_for(health.running.interval) != Outcome::ready) {
            co_return;
        }
        auto answer = co_await world_.surroundings.probe(address_, health.path, health.running.timeout);
        if (answer) {
            good_at = world_.reactor.now();
        } else {
            gate_failure_ = answer.error().context();
        }
    }
    gate_ = Gate::lost;
    changed_.set();
}

void Instance::on_gate() {
    if (gate_ == Gate::passed && track_.state() == InstanceState::starting) {
        log_report(track_.on_up(world_.reactor.now()));
        world_.on_change();
    }
}

// Once: asks the program to end when its owner wants that, its gate has failed or it hangs. Later: kills what
// is there.
void Instance::stop_if_asked(child::ProgramRun& run, Deadlines& deadlines) {
    Instant now = world_.reactor.now();
    const HealthCheck& health = world_.config.health;
    if (is_stopping_ && track_.state() != InstanceState::stopping) {
        track_.on_stop(now);
        world_.on_change();
    } else if (gate_ == Gate::failed && track_.state() == InstanceState::starting) {
        run.blame(
            {.cause = child::EndCause::gate,
             .how = std::format(
                 "no good answer to GET {} within {}: {}",
                 health.path,
                 core::format_duration(health.within),
                 gate_failure_
             )}
        );
    } else if (gate_ == Gate::lost && track_.state() == InstanceState::up) {
        run.blame(
            {.cause = child::EndCause::hung,
             .how = std::format(
                 "it hung: no good answer to GET {} for {}: {}",
                 health.path,
                 core::format_duration(health.restart_after),
                 gate_failure_
             )}
        );
    } else if (deadlines.kill_at.is_never() && deadlines.kill_guard_at.is_never()) {
        return;
    }
    if (deadlines.kill_at.is_never() && deadlines.kill_guard_at.is_never()) {
        run.signal(world_.config.stop.signal);
        deadlines.kill_at = now + world_.config.stop.within;
    }
    if (is_hurried_ && !deadlines.kill_at.is_never()) {
        deadlines.kill_at = now;
    }
    if (now >= deadlines.kill_at) {
        run.kill_all();
        deadlines = {.kill_at = Instant::never(), .kill_guard_at = now + kGuardPatience};
    }
    if (now >= deadlines.kill_guard_at) {
        world_.log.error("app", "a guard does not answer: it is killed", {{"instance", name_}});
        run.kill_guard();
        deadlines.kill_guard_at = now + kGuardPatience;
    }
}

Instant Instance::next_look(const Deadlines& deadlines) const {
    Instant next = std::min({deadlines.kill_at, deadlines.kill_guard_at, track_.settles_at()});
    auto down_since = track_.down_since();
    if (down_since && *down_since + kPatience > world_.reactor.now()) {
        next = std::min(next, *down_since + kPatience);
    }
    return next;
}

runtime::Task<void> Instance::attend(child::ProgramRun& run) {
    Deadlines deadlines;
    while (!run.is_over()) {
        on_gate();
        log_report(track_.on_settled(world_.reactor.now()));
        stop_if_asked(run, deadlines);
        if (co_await changed_.wait(next_look(deadlines)) == Outcome::timed_out) {
            world_.on_change();  // its patience may be over
        }
    }
}

runtime::Task<child::RunEnd> Instance::run_once() {
    auto started = start_run();
    if (!started) {
        co_return child::RunEnd{.cause = child::EndCause::not_started, .how = started.error().context()};
    }
    run_ = *std::move(started);
    gate_ = Gate::closed;
    gate_failure_.clear();
    world_.on_change();  // the address may be another
    runtime::TaskGroup gate(world_.reactor, 1);
    runtime::TaskGroup followers(world_.reactor, 1);
    followers.spawn(follow(*run_));
    gate.spawn(watch_health());
    co_await attend(*run_);
    gate.request_stop();
    co_await gate.join();
    co_await followers.join();
    child::RunEnd end = run_->end();
    last_lines_ = run_->last_lines().text();
    run_.reset();
    co_return end;
}

// Or until it is to stop.
runtime::Task<void> Instance::pause_until(Instant when) {
    while (!is_stopping_ && world_.reactor.now() < when) {
        Instant look = std::min(when, next_look({}));
        [[maybe_unused]] Outcome woken = co_await changed_.wait(look);
        world_.on_change();
    }
}

void Instance::log_report(const std::optional<Report>& report) {
    if (!report) {
        return;
    }
    std::string pid = std::to_string(run_ ? run_->pid() : 0);
    bool has_lines = report->has_last_lines && !last_lines_.empty();
    core::LogField name{"instance", name_};
    core::LogField detail =
        has_lines ? core::LogField{"last_lines", last_lines_} : core::LogField{"pid", pid};
    core::LogField address{"address", address_.to_string()};
    switch (report->level) {
        case core::LogLevel::error: world_.log.error("app", report->event, {name, address, detail}); break;
        case core::LogLevel::warn: world_.log.warn("app", report->event, {name, address, detail}); break;
        case core::LogLevel::info: world_.log.info("app", report->event, {name, address, detail}); break;
    }
}

runtime::Task<void> Instance::serve() {
    while (!is_stopping_) {
        track_.on_start(world_.reactor.now());
        child::RunEnd end = co_await run_once();
        EndDecision decision = track_.on_end(end, world_.reactor.now());
        last_failure_ = last_lines_.empty() ? end.how : end.how + "; its last lines: " + last_lines_;
        bool has_failed = kind_ == Kind::trial && !track_.has_been_up();
        if (!has_failed || !decision.start_at) {
            log_report(decision.report);  // who wanted the trial tells how it failed
        }
        world_.on_change();
        if (has_failed || !decision.start_at) {
            break;
        }
        co_await pause_until(*decision.start_at);
    }
    if (track_.state() != InstanceState::ended) {
        Instant now = world_.reactor.now();
        track_.on_stop(now);
        [[maybe_unused]] EndDecision last = track_.on_end({.how = track_.last_end()}, now);
    }
    world_.on_change();
}

}  // namespace app
