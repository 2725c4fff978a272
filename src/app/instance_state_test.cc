// The state machine of an instance: pauses, crash loops, what is told and how often, in virtual time.
#include "app/instance_state.h"

#include <vector>

#include <doctest/doctest.h>

namespace app {
namespace {

constexpr RestartConfig kConfig{.first_pause = 250ms, .longest_pause = 2s, .settled = 30s};

core::Instant at(core::Duration time) { return {time}; }

child::RunEnd crash() { return {.cause = child::EndCause::exited, .how = "exited with status 1"}; }

// Starts, is up, and ends `ran` later.
EndDecision run_and_crash(InstanceTrack& track, core::Instant& now, core::Duration ran) {
    track.on_start(now);
    [[maybe_unused]] auto told = track.on_up(now);
    now = now + ran;
    return track.on_end(crash(), now);
}

TEST_CASE("the pause doubles with each end in a row, up to the longest, and begins again when one has settled"
) {
    struct Row {
        core::Duration ran;
        core::Duration pause;
    };

    const std::vector<Row> rows{
        {1s, 250ms},
        {1s, 500ms},
        {29s, 1s},
        {1s, 2s},
        {1s, 2s},
        {1s, 2s},
        {30s, 250ms},
        {1s, 500ms},
        {31s, 250ms},
    };
    core::Instant now = at(100s);
    InstanceTrack track(kConfig, now);
    for (const Row& row : rows) {
        EndDecision decision = run_and_crash(track, now, row.ran);
        REQUIRE(decision.start_at);
        CHECK(*decision.start_at - now == row.pause);
        CHECK(track.pause() == row.pause);
        now = *decision.start_at;
    }
    CHECK(track.restarts() == rows.size() - 1);
}

TEST_CASE("one end is a warning, the third in a row is an error, told once and then once a minute") {
    core::Instant now = at(100s);
    InstanceTrack track(kConfig, now);
    std::vector<core::LogLevel> told;
    std::vector<core::Instant> errors;
    for (int end = 0; end < 100; ++end) {
        EndDecision decision = run_and_crash(track, now, 10ms);
        if (decision.report) {
            told.push_back(decision.report->level);
            CHECK(decision.report->has_last_lines);
            CHECK(decision.report->event.contains("exited with status 1"));
            if (decision.report->level == core::LogLevel::error) {
                errors.push_back(now);
            }
        }
        now = *decision.start_at;
    }
    REQUIRE(told.size() >= 4);
    CHECK(told[0] == core::LogLevel::warn);
    CHECK(told[1] == core::LogLevel::warn);
    CHECK(told[2] == core::LogLevel::error);
    CHECK(errors.size() == told.size() - 2);
    for (size_t index = 1; index < errors.size(); ++index) {
        CHECK(errors[index] - errors[index - 1] >= kLoopReportInterval);
        CHECK(errors[index] - errors[index - 1] < kLoopReportInterval + 3s);
    }
}

TEST_CASE("an instance that never was up is an error at once, with the cure of its cause") {
    struct Row {
        child::EndCause cause;
        std::string_view part;
    };

    for (const Row& row : {
             Row{child::EndCause::exited, "run [app] command by hand"},
             Row{child::EndCause::not_started, "correct [app] command"},
             Row{child::EndCause::gate, "LISTEN_FDS=1"},
             Row{child::EndCause::memory, "[app] limits.memory"},
         }) {
        InstanceTrack track(kConfig, at(1s));
        track.on_start(at(1s));
        EndDecision first = track.on_end({.cause = row.cause, .how = "so"}, at(2s));
        REQUIRE(first.report);
        CHECK(first.report->level == core::LogLevel::error);
        CHECK(first.report->event.starts_with("an instance did not become healthy: so"));
        CHECK(first.report->event.contains(row.part));
        track.on_start(at(3s));
        CHECK_FALSE(track.on_end({.cause = row.cause, .how = "so"}, at(4s)).report);
    }
}

TEST_CASE("a loop that was told is over when an instance has settled, and that is told") {
    core::Instant now = at(100s);
    InstanceTrack track(kConfig, now);
    for (int end = 0; end < 3; ++end) {
        now = *run_and_crash(track, now, 10ms).start_at;
    }
    track.on_start(now);
    CHECK_FALSE(track.on_up(now));  // it may end as before
    CHECK(track.settles_at() == now + 30s);
    CHECK_FALSE(track.on_settled(now + 29s));
    auto recovered = track.on_settled(now + 30s);
    REQUIRE(recovered);
    CHECK(recovered->event == "an instance has recovered: up for 30s");
    CHECK(track.settles_at().is_never());
    EndDecision next = track.on_end(crash(), now + 31s);
    REQUIRE(next.report);
    CHECK(next.report->level == core::LogLevel::warn);
}

TEST_CASE("what its owner stops ends for good, from every state") {
    for (InstanceState from : {InstanceState::starting, InstanceState::up, InstanceState::waiting}) {
        InstanceTrack track(kConfig, at(1s));
        track.on_start(at(1s));
        if (from == InstanceState::up) {
            [[maybe_unused]] auto told = track.on_up(at(2s));
        } else if (from == InstanceState::waiting) {
            [[maybe_unused]] auto decision = track.on_end(crash(), at(2s));
        }
        REQUIRE(track.state() == from);
        track.on_stop(at(3s));
        CHECK(track.state() == InstanceState::stopping);
        EndDecision decision = track.on_end({.how = "exited with status 0"}, at(4s));
        CHECK_FALSE(decision.start_at);
        REQUIRE(decision.report);
        CHECK(decision.report->level == core::LogLevel::info);
        CHECK(track.state() == InstanceState::ended);
    }
}

TEST_CASE("since when it is not up is kept over restarts, until it is up") {
    InstanceTrack track(kConfig, at(1s));
    track.on_start(at(1s));
    CHECK(track.down_since() == at(1s));
    [[maybe_unused]] auto told = track.on_up(at(2s));
    CHECK_FALSE(track.down_since());
    [[maybe_unused]] auto decision = track.on_end(crash(), at(5s));
    track.on_start(at(6s));
    CHECK(track.down_since() == at(5s));
    CHECK(track.has_been_up());
}

}  // namespace
}  // namespace app
