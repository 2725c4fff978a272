#include "app/instance_state.h"

#include <algorithm>
#include <format>

namespace app {

namespace {

core::Duration pause_after(uint32_t ends_in_row, const RestartConfig& config) {
    core::Duration pause = config.first_pause;
    for (uint32_t end = 1; end < ends_in_row && pause < config.longest_pause; ++end) {
        pause *= 2;
    }
    return std::min(pause, config.longest_pause);
}

}  // namespace

std::string_view state_name(InstanceState state) {
    switch (state) {
        case InstanceState::starting: return "starting";
        case InstanceState::up: return "up";
        case InstanceState::stopping: return "stopping";
        case InstanceState::waiting: return "waiting";
        case InstanceState::ended: return "ended";
    }
    return "?";
}

std::string_view cure_of(child::EndCause cause) {
    switch (cause) {
        case child::EndCause::exited:
            return "run [app] command by hand in [app] directory and see what it says; its last lines are "
                   "here";
        case child::EndCause::not_started: return "correct [app] command, directory, user or limits";
        case child::EndCause::gate:
            return "the program must serve HTTP on the socket that it inherits as descriptor 3 "
                   "(LISTEN_FDS=1), "
                   "or on PORT with listen = \"port\", and answer [app] health.path with 2xx or 3xx";
        case child::EndCause::hung:
            return "find what the program waits for when it does not answer [app] health.path, or allow it "
                   "more time with health.timeout and health.restart_after";
        case child::EndCause::memory: return "raise [app] limits.memory, or find what the program keeps";
    }
    return "";
}

void InstanceTrack::enter(InstanceState state, core::Instant now) {
    state_ = state;
    since_ = now;
    if (state == InstanceState::up) {
        down_since_.reset();
    } else if (!down_since_) {
        down_since_ = now;
    }
}

void InstanceTrack::on_start(core::Instant now) {
    restarts_ += state_ == InstanceState::waiting ? 1 : 0;
    enter(InstanceState::starting, now);
}

std::optional<Report> InstanceTrack::on_up(core::Instant now) {
    enter(InstanceState::up, now);
    has_been_up_ = true;
    if (loop_reported_at_) {
        return std::nullopt;  // it may end as before: on_settled() tells
    }
    return Report{.level = core::LogLevel::info, .event = "an instance is up"};
}

void InstanceTrack::on_stop(core::Instant now) { enter(InstanceState::stopping, now); }

core::Instant InstanceTrack::settles_at() const {
    bool is_due = state_ == InstanceState::up && loop_reported_at_.has_value();
    return is_due ? since_ + config_.settled : core::Instant::never();
}

std::optional<Report> InstanceTrack::on_settled(core::Instant now) {
    if (now < settles_at()) {
        return std::nullopt;
    }
    loop_reported_at_.reset();
    ends_in_row_ = 0;
    ends_untold_ = 0;
    return Report{
        .level = core::LogLevel::info,
        .event = std::format("an instance has recovered: up for {}", core::format_duration(config_.settled))
    };
}

EndDecision InstanceTrack::on_end(const child::RunEnd& end, core::Instant now) {
    last_end_ = end.how;
    if (state_ == InstanceState::stopping) {
        enter(InstanceState::ended, now);
        return {
            .start_at = std::nullopt,
            .report = Report{.level = core::LogLevel::info, .event = "an instance has stopped: " + end.how}
        };
    }
    if (state_ == InstanceState::up && now - since_ >= config_.settled) {
        ends_in_row_ = 0;
        loop_reported_at_.reset();
    }
    ++ends_in_row_;
    pause_ = pause_after(ends_in_row_, config_);
    auto report = report_of(end, now);
    enter(InstanceState::waiting, now);
    return {.start_at = now + pause_, .report = std::move(report)};
}

// An instance that never was healthy is a matter of the configuration or of the program: an error at once.
// One that was is started again quietly, until it shows that this does not help.
std::optional<Report> InstanceTrack::report_of(const child::RunEnd& end, core::Instant now) {
    std::string pause = core::format_duration(pause_);
    bool is_loop = !has_been_up_ || ends_in_row_ >= kLoopEnds;
    if (!is_loop) {
        return Report{
            .level = core::LogLevel::warn,
            .event = std::format("an instance ended: {}; it is started again in {}", end.how, pause),
            .has_last_lines = true
        };
    }
    if (!loop_reported_at_) {
        loop_reported_at_ = now;
        std::string event = has_been_up_ ? std::format("an instance ends again and again: {}", end.how)
                                         : std::format("an instance did not become healthy: {}", end.how);
        event += std::format(
            "; it is started again in {}, later ends are told once a minute: {}",
            pause,
            cure_of(end.cause)
        );
        return Report{.level = core::LogLevel::error, .event = std::move(event), .has_last_lines = true};
    }
    ++ends_untold_;
    if (now - *loop_reported_at_ < kLoopReportInterval) {
        return std::nullopt;
    }
    loop_reported_at_ = now;
    uint64_t untold = std::exchange(ends_untold_, 0);
    return Report{
        .level = core::LogLevel::error,
        .event = std::format(
            "an instance still ends again and again: {} times since it was told last, {}",
            untold,
            end.how
        ),
        .has_last_lines = true
    };
}

}  // namespace app
