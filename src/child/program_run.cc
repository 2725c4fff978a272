#include "child/program_run.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <format>
#include <utility>

#include "child/memory_groups.h"
#include "child/memory_watch.h"
#include "runtime/task_group.h"

namespace child {

using runtime::Outcome;
using runtime::Pipe;

namespace {

constexpr size_t kReadSize = 16 << 10;
// Read on end without another's turn.
constexpr int kReadsPerTurn = 8;
// What is left in the pipes when all processes are gone is read at once; only a process that is no descendant
// (it was handed the descriptor) can hold them open longer.
constexpr core::Duration kLastReads = std::chrono::milliseconds(500);

core::Result<void> open_pipes(Pipe& channel, Pipe& output, Pipe& error) {
    int status = runtime::open_channel(channel);
    status = status < 0 ? status : runtime::open_output_pipe(output);
    status = status < 0 ? status : runtime::open_output_pipe(error);
    if (status < 0) {
        return core::fail(core::Error::of_errno(-status, "opening the pipes of an instance"));
    }
    return {};
}

// So that the program may open /dev/stdout and /dev/stderr, which asks for permission again, as whatever
// user. The pipe has no name but below /proc/PID of those who hold it.
void let_open_again(const Pipe& pipe) { [[maybe_unused]] int status = ::fchmod(pipe.theirs.get(), 0622); }

runtime::SpawnRequest guard_request(const RunPlan& plan, const Pipe& output, const Pipe& error) {
    runtime::SpawnRequest request{
        .executable = plan.executable,
        .arguments = guard_arguments(plan.spec),
        .environment = hide_environment(plan.environment),
        .standard_output = output.theirs.get(),
        .standard_error = error.theirs.get(),
        .kept = {plan.spec.channel},
    };
    if (plan.listening >= 0) {
        request.kept.push_back(plan.listening);
    }
    if (plan.spec.held >= 0) {
        request.kept.push_back(plan.spec.held);
    }
    if (plan.spec.open_directory >= 0) {
        request.kept.push_back(plan.spec.open_directory);
    }
    return request;
}

}  // namespace

core::Result<std::unique_ptr<ProgramRun>> ProgramRun::start(
    runtime::Reactor& reactor,
    core::Log& log,
    RunPlan plan
) {
    Pipe channel;
    Pipe output;
    Pipe error;
    TRY_VOID(open_pipes(channel, output, error));
    let_open_again(output);
    let_open_again(error);
    plan.spec.supervisor = ::getpid();
    plan.spec.channel = channel.theirs.get();
    plan.spec.listening = plan.listening;
    auto request = guard_request(plan, output, error);
    std::unique_ptr<ProgramRun> run(new ProgramRun(reactor, log, std::move(plan), channel, output, error));
    int guard = runtime::spawn(request);
    if (guard < 0) {
        return core::fail(core::Error::of_errno(-guard, "starting the guard of an instance"));
    }
    run->guard_ = guard;
    int process = runtime::open_process(guard);
    if (process < 0) {
        // The channel closes with the run, so the guard ends; nobody reaps it.
        return core::fail(core::Error::of_errno(-process, "watching the guard of an instance"));
    }
    run->guard_process_.emplace(reactor, runtime::Descriptor(process));
    return run;
}

ProgramRun::ProgramRun(
    runtime::Reactor& reactor,
    core::Log& log,
    RunPlan plan,
    Pipe& channel,
    Pipe& output,
    Pipe& error
)
    : reactor_(reactor),
      log_(log),
      plan_(std::move(plan)),
      channel_(reactor, std::move(channel.ours)),
      output_(reactor, std::move(output.ours)),
      error_(reactor, std::move(error.ours)) {}

void ProgramRun::order(GuardOrder order) {
    // A full channel means that hundreds of orders wait already; a closed one that the guard has ended.
    [[maybe_unused]] ssize_t written = runtime::write_some(channel_.get(), bytes_of(order));
}

void ProgramRun::signal(int number) { order({.kind = GuardOrder::Kind::signal, .signal = number}); }

void ProgramRun::kill_all() { order({.kind = GuardOrder::Kind::kill_all, .signal = SIGKILL}); }

void ProgramRun::kill_guard() {
    if (!is_over_) {
        ::kill(guard_, SIGKILL);
    }
}

void ProgramRun::blame(RunEnd end) {
    if (!end_) {
        end_ = std::move(end);
    }
}

void ProgramRun::on_report(const GuardReport& report) {
    switch (report.kind) {
        case ReportKind::started: program_ = report.pid; break;
        case ReportKind::failed:
            blame(
                {.cause = EndCause::not_started,
                 .how = describe_failed_start(plan_.component, plan_.spec, report)}
            );
            break;
        case ReportKind::exited:
            program_ = 0;
            if (has_hit_memory_limit(plan_.spec.group)) {
                blame({.cause = EndCause::memory, .how = describe_memory_limit(plan_.memory_limit)});
            }
            blame({.cause = EndCause::exited, .how = describe_wait_status(report.code)});
            break;
        case ReportKind::abandoned:
            log_.error(
                plan_.component,
                "processes of an instance hang in the kernel and could not be killed",
                {{"instance", plan_.spec.name}, {"processes", std::to_string(report.code)}}
            );
            break;
    }
}

// Until the guard has closed its end, which it does when all below it are gone.
runtime::Task<void> ProgramRun::follow_guard() {
    for (;;) {
        GuardReport report;
        ssize_t count = co_await channel_.read(bytes_of(report), core::Instant::never());
        if (count != static_cast<ssize_t>(sizeof report)) {
            break;
        }
        on_report(report);
    }
    int status = 0;
    ssize_t reaped = co_await guard_process_->reaped(guard_, status, core::Instant::never());
    program_ = 0;
    if (reaped == guard_ && WIFSIGNALED(status)) {
        blame({.cause = EndCause::exited, .how = "its guard was " + describe_wait_status(status)});
    }
    blame({.cause = EndCause::not_started, .how = "its guard ended without a word"});
}

void ProgramRun::log_line(std::string_view stream, std::string_view line, uint64_t dropped) {
    const std::string& name = plan_.spec.name;
    bool is_left_out = dropped == 0 && plan_.is_told != nullptr && !plan_.is_told(line);
    if (plan_.output == OutputUse::kept || is_left_out) {
        return;
    }
    if (dropped > 0) {
        log_.warn(
            plan_.component,
            std::format("lines were left out: more than {} in a second", kLinesPerSecond),
            {{"instance", name}, {"stream", std::string(stream)}, {"lines", std::to_string(dropped)}}
        );
        return;
    }
    // Most programs write everything to standard error, so a stream is no level.
    log_.info(
        plan_.component,
        "output",
        {{"instance", name}, {"stream", std::string(stream)}, {"line", std::string(line)}}
    );
}

runtime::Task<void> ProgramRun::follow_output(runtime::WatchedDescriptor& source, std::string_view stream) {
    OutputLines lines(*last_, [this, stream](std::string_view line, uint64_t dropped) {
        log_line(stream, line, dropped);
    });
    auto bytes = std::make_unique<std::array<char, kReadSize>>();
    for (int reads = 1;; ++reads) {
        ssize_t count = co_await source.read(*bytes, core::Instant::never());
        if (count <= 0) {
            break;
        }
        lines.feed({bytes->data(), static_cast<size_t>(count)}, reactor_.now());
        if (reads % kReadsPerTurn == 0) {
            [[maybe_unused]] Outcome yielded = co_await reactor_.yield();
        }
    }
    lines.finish();
}

runtime::Task<void> ProgramRun::watch_memory() {
    while (co_await reactor_.sleep_until(reactor_.housekeeping_in(kMemoryLook)) == Outcome::ready) {
        if (auto bytes = memory_above(guard_, plan_.memory_limit)) {
            blame(
                {.cause = EndCause::memory,
                 .how = std::format("{}: {} bytes", describe_memory_limit(plan_.memory_limit), *bytes)}
            );
            kill_all();
            co_return;
        }
    }
}

runtime::Task<void> ProgramRun::serve() {
    runtime::TaskGroup readers(reactor_, 2);
    readers.spawn(follow_output(output_, "stdout"));
    readers.spawn(follow_output(error_, "stderr"));
    runtime::TaskGroup watches(reactor_, 1);
    if (plan_.is_memory_watched) {
        watches.spawn(watch_memory());
    }
    co_await follow_guard();
    watches.request_stop();
    co_await watches.join();
    co_await readers.join(reactor_.now() + kLastReads);
    remove_group(plan_.spec.group);
    is_over_ = true;
}

uint64_t ProgramRun::memory_bytes() const {
    return plan_.spec.group.empty() ? memory_of(guard_) : group_memory(plan_.spec.group);
}

}  // namespace child
