#include "cluster/leader.h"

#include <algorithm>
#include <format>

#include "cluster/settings.h"
#include "cluster/statements.h"
#include "core/panic.h"

namespace cluster {

using core::ErrorKind;
using core::fail;
using core::Result;
using runtime::Outcome;
using runtime::Task;

namespace {

constexpr core::Duration kLeasePoll = std::chrono::milliseconds(100);
// The record may be changed by nobody else, and is read again now and then all the same.
constexpr core::Duration kIdleCycle = std::chrono::milliseconds(100);
constexpr core::Duration kFailedPause = std::chrono::milliseconds(200);
constexpr core::Duration kOrderTime = std::chrono::seconds(5);
constexpr core::Duration kFenceTime = std::chrono::seconds(5);
// One that waits for longer does its work all the same.
constexpr core::Duration kNudgeTime = std::chrono::milliseconds(500);
constexpr unsigned kProofSeconds = 2;

std::string failure_text(const mariadb::ServerFailure& failure) {
    return failure.is_from_server() ? std::format("error {}: {}", failure.number, failure.message)
                                    : failure.message;
}

}  // namespace

Leader::Leader(
    runtime::Reactor& reactor,
    core::Log& log,
    const Config& config,
    const Secrets& secrets,
    std::vector<Place> places,
    std::string shared
)
    : reactor_(reactor),
      log_(log),
      policy_{
          .durability = config.durability,
          .alone = config.alone,
          .rejoin = config.rejoin,
          .first_primary = config.primary,
      },
      secrets_(secrets),
      shared_directory_(std::move(shared)),
      store_(reactor.os(), shared_directory_),
      account_{.user = std::string(kManagerUser), .key = mysql::password_key(secrets.manager)},
      shared_buffer_(buffers_),
      changed_(reactor) {
    for (Place& place : places) {
        lines_.push_back(
            std::make_unique<ServerLine>(reactor_, shared_buffer_, std::move(place), account_, changed_)
        );
    }
    name_source_ = [this](const std::string& address) {
        auto found = std::ranges::find_if(lines_, [&](const auto& line) {
            return line->place().database.to_string() == address;
        });
        return found == lines_.end() ? address : (*found)->place().server;
    };
}

Leader::~Leader() = default;

ServerLine& Leader::line_of(const std::string& server) {
    auto found =
        std::ranges::find_if(lines_, [&](const auto& line) { return line->place().server == server; });
    ASSERT(found != lines_.end());
    return **found;
}

Task<void> Leader::serve() {
    const runtime::Fiber& fiber = co_await runtime::CurrentFiber{};
    while (!fiber.is_stopped) {
        if (store_.try_lead()) {
            log_.info("database", "this server leads the database cluster");
            co_await lead();
            store_.give_up_lead();
        } else {
            [[maybe_unused]] Outcome slept =
                co_await reactor_.sleep_until(reactor_.housekeeping_in(kLeasePoll));
        }
    }
}

// Until the fiber is stopped.
Task<void> Leader::lead() {
    led_since_ = reactor_.now();
    nudges_ = reactor_.os().random_number() >> 32;  // not the rows of a leader that has just died
    set_aside_ = std::make_unique<SetAside>(reactor_, log_, secrets_, shared_directory_);
    runtime::TaskGroup watches(reactor_, lines_.size() + 3);
    for (auto& line : lines_) {
        watches.spawn(line->watch(name_source_));
    }
    watches.spawn(save_extras());
    watches.spawn(probe_writes());
    watches.spawn(watch_settings());
    const runtime::Fiber& fiber = co_await runtime::CurrentFiber{};
    while (!fiber.is_stopped) {
        co_await cycle();
    }
    set_aside_->stop();
    watches.request_stop();
    co_await watches.join();
    decision_ = {};
    if (order_status_.is_running) {
        end_order(fail(ErrorKind::cancelled, "the leader was stopped before it was done"));
    }
}

Task<void> Leader::cycle() {
    auto topology = store_.read();
    if (!topology) {
        note({.sentence = topology.error().context(), .no_failover = topology.error().context()});
        [[maybe_unused]] Outcome slept = co_await reactor_.sleep_for(kFailedPause);
        co_return;
    }
    topology_ = *std::move(topology);
    follow_failover();
    rejoin();
    if (is_move_due()) {
        co_await switch_over();
        co_return;
    }
    Observation seen = observe();
    Decision decision = decide(policy_, topology_, seen);
    bool is_settled = std::ranges::all_of(seen.views, [](const View& view) {
        return view.sight.has_value() || !view.why.empty();
    });
    if (!is_settled) {
        // A server was told something and not looked at since: what that hides is no news.
        decision.no_failover = decision_.no_failover;
        decision.sentence = decision.steps.empty() ? decision_.sentence : decision.sentence;
    }
    release_fences(decision);
    note(decision);
    if (decision.steps.empty()) {
        [[maybe_unused]] Outcome outcome = co_await changed_.wait(reactor_.now() + kIdleCycle);
        co_return;
    }
    is_failing_ = false;
    co_await run_steps(decision);
    if (is_failing_) {
        [[maybe_unused]] Outcome slept = co_await reactor_.sleep_for(kFailedPause);
    }
}

Observation Leader::observe() const {
    Observation seen{.led_for = reactor_.now() - led_since_};
    for (const auto& line : lines_) {
        seen.views.push_back(line->view());
    }
    if (order_ && order_->kind == OrderKind::failover) {
        seen.failover = order_;
    }
    const View* primary = seen.find(topology_.primary);
    if (primary == nullptr || !primary->sight) {
        return seen;
    }
    for (View& view : seen.views) {
        if (view.sight && &view != primary) {
            bool is_apart = topology_.standing_of(view.server) == upstream::Standing::diverged;
            view.extra = extra_of(
                view.sight->state,
                primary->sight->state,
                is_apart ? std::nullopt : std::optional(primary->sight->server_id)
            );
            view.is_set_aside =
                !view.extra.empty() && is_set_aside(shared_directory_, view.server, view.extra);
        }
    }
    return seen;
}

// One that was ended to be started again may start; the primary may not while its place is being given away.
void Leader::release_fences(const Decision& decision) {
    for (auto& line : lines_) {
        bool is_kept = decision.keeps_fence && line->place().server == topology_.primary;
        if (line->is_fenced() && !is_kept) {
            line->release();
        }
    }
}

void Leader::note(const Decision& decision) {
    if (decision.sentence != decision_.sentence) {
        log_.info("database", decision.sentence, {{"epoch", std::to_string(topology_.epoch)}});
    }
    if (decision.no_failover != decision_.no_failover) {
        if (decision.no_failover.empty()) {
            log_.info("database", "the primary can be replaced if it fails");
        } else {
            log_.warn(
                "database",
                "the primary would not be replaced if it failed now",
                {{"why", decision.no_failover}}
            );
        }
    }
    decision_ = decision;
}

Task<void> Leader::run_steps(const Decision& decision) {
    runtime::TaskGroup steps(reactor_, decision.steps.size());
    for (const Step& step : decision.steps) {
        steps.spawn(run_step(step, decision.sentence));
    }
    co_await steps.join();
}

Task<void> Leader::run_step(const Step& step, std::string sentence) {
    auto done = check_epoch(step);
    if (done) {
        done = co_await perform(step, sentence);
    }
    if (!done) {
        is_failing_ = true;
        log_.warn(
            "database",
            "a step failed",
            {{"step", std::string(action_name(step.action))},
             {"server", step.server},
             {"reason", done.error().context()}}
        );
    }
}

// A leader that lost its lease has no epoch any more in which it may act.
Result<void> Leader::check_epoch(const Step& step) const {
    if (!store_.leads()) {
        return fail(ErrorKind::conflict, "we lead no more");
    }
    TRY(upstream::Topology now, store_.read());
    if (now.epoch != step.epoch) {
        return fail(ErrorKind::conflict, std::format("epoch {} has begun", now.epoch));
    }
    return {};
}

Result<void> Leader::commit(const Step& step, const std::string& sentence) {
    ASSERT(step.next.has_value());
    return store_.replace(*step.next, topology_.version, sentence);
}

Task<Result<void>> Leader::tell(const std::string& server, std::string statements, core::Duration within) {
    auto answer = co_await line_of(server).order(std::move(statements), within);
    if (!answer) {
        co_return fail(answer.error().kind, failure_text(answer.error()));
    }
    co_return Result<void>{};
}

// The witness has all that the primary has written by now.
Task<Result<void>> Leader::prove(const std::string& witness) {
    auto answer = co_await line_of(topology_.primary).order(std::string(kPositionStatement), kOrderTime);
    const std::string* position =
        answer && !answer->results.empty() && answer->results.back().rows.size() == 1
            ? answer->results.back().value(0, "written")
            : nullptr;
    if (position == nullptr) {
        co_return fail(ErrorKind::io, topology_.primary + " does not tell its position");
    }
    std::string question = await_position_statement(*position, kProofSeconds);
    auto reached = co_await line_of(witness).order(
        std::move(question),
        kOrderTime + std::chrono::seconds(kProofSeconds)
    );
    const std::string* outcome =
        reached && reached->results.size() == 1 ? reached->results[0].value(0, "outcome") : nullptr;
    if (outcome == nullptr || *outcome != "0") {
        co_return fail(ErrorKind::timed_out, std::format("{} has not reached {} yet", witness, *position));
    }
    co_return Result<void>{};
}

Task<Result<void>> Leader::open_for_writes(const Step& step) {
    CO_TRY_VOID(co_await tell(step.server, std::string(kOpenStatements), kOrderTime));
    // Not awaited for long: a write that waits for a replica is the primary's matter, not ours.
    [[maybe_unused]] auto written =
        co_await line_of(step.server)
            .order_apart(write_statements(kEpochRow, step.epoch, step.server), kNudgeTime);
    co_return Result<void>{};
}

Task<Result<void>> Leader::nudge(const std::string& server, core::Duration within) {
    std::string write = write_statements(nudge_row(nudges_++), topology_.epoch, server);
    auto answer = co_await line_of(server).order_apart(std::move(write), within);
    if (!answer) {
        co_return fail(answer.error().kind, failure_text(answer.error()));
    }
    co_return Result<void>{};
}

Task<Result<void>> Leader::perform(const Step& step, const std::string& sentence) {
    auto follow = [&](Acknowledging acknowledging) {
        return follow_statements(line_of(step.other).place().database, secrets_.replica, acknowledging);
    };
    switch (step.action) {
        case Action::commit: co_return commit(step, sentence);
        case Action::fence:
            if (!co_await line_of(step.server).fence(kFenceTime)) {
                co_return fail(ErrorKind::timed_out, "its mariadbd does not end");
            }
            co_return Result<void>{};
        case Action::promote: {
            bool is_armed = step.next && step.next->durability == upstream::Durability::lossless;
            co_return co_await tell(step.server, promote_statements(is_armed), kOrderTime);
        }
        case Action::open: co_return co_await open_for_writes(step);
        case Action::arm: co_return co_await tell(step.server, std::string(kArmStatements), kOrderTime);
        case Action::disarm: co_return co_await tell(step.server, std::string(kDisarmStatements), kOrderTime);
        case Action::start_receiver:
            co_return co_await tell(step.server, std::string(kStartReceiverStatements), kOrderTime);
        case Action::stop_receiver:
            co_return co_await tell(step.server, std::string(kStopReceiverStatements), kOrderTime);
        case Action::follow: co_return co_await tell(step.server, follow(Acknowledging::no), kOrderTime);
        case Action::follow_as_acker:
            co_return co_await tell(step.server, follow(Acknowledging::yes), kOrderTime);
        case Action::attach: co_return co_await tell(step.server, std::string(kAttachStatements), kOrderTime);
        case Action::drop: CO_TRY_VOID(co_await prove(step.other)); co_return commit(step, sentence);
        case Action::regain:
            CO_TRY_VOID(co_await tell(step.server, std::string(kArmStatements), kOrderTime));
            CO_TRY_VOID(co_await prove(step.other));
            co_return commit(step, sentence);
        case Action::nudge: co_return co_await nudge(step.server, kNudgeTime);
    }
    co_return Result<void>{};
}

LeaderStatus Leader::status() const {
    LeaderStatus status;
    status.leads = store_.leads();
    if (status.leads) {
        status.sentence = decision_.sentence;
        status.no_failover = decision_.no_failover;
        status.views = observe().views;
        status.order = order_status_;
        status.write_took = probe_.began.is_never() ? probe_.took : reactor_.now() - probe_.began;
        status.drift = drift_;
    }
    return status;
}

}  // namespace cluster
