// The life of one instance as a state machine: what follows when it started, became healthy, ended.
//
//   starting ── gate passed ──► up ──── ended ───► waiting ── pause over ──► starting
//      │                        │                     ▲
//      └── ended, gate failed ──┼─────────────────────┘
//   any ── the owner's word ──► stopping ── ended ──► ended
//
// No clock, no I/O: `now` is given and must not go backwards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "app/config.h"
#include "child/run_end.h"
#include "core/log.h"
#include "core/units.h"

namespace app {

enum class InstanceState : uint8_t { starting, up, stopping, waiting, ended };

[[nodiscard]] std::string_view state_name(InstanceState state);

// Something to log; `has_last_lines`: with what the program wrote last.
struct Report {
    core::LogLevel level = core::LogLevel::info;
    std::string event;
    bool has_last_lines = false;

    friend bool operator==(const Report&, const Report&) = default;
};

struct EndDecision {
    std::optional<core::Instant> start_at;  // none: it has ended for good
    std::optional<Report> report;           // none: this end was counted and not told
};

// So many ends in a row make a crash loop, which is told once as an error, and then once a minute.
inline constexpr uint32_t kLoopEnds = 3;
inline constexpr core::Duration kLoopReportInterval = 1min;

class InstanceTrack {
public:
    InstanceTrack(const RestartConfig& config, core::Instant now) : config_(config), since_(now) {}

    void on_start(core::Instant now);
    // The gate is passed.
    [[nodiscard]] std::optional<Report> on_up(core::Instant now);
    // The owner wants it to end.
    void on_stop(core::Instant now);
    // The run is over and all its processes are gone.
    [[nodiscard]] EndDecision on_end(const child::RunEnd& end, core::Instant now);
    // At settles_at(): a crash loop is over.
    [[nodiscard]] std::optional<Report> on_settled(core::Instant now);

    [[nodiscard]] InstanceState state() const { return state_; }

    [[nodiscard]] core::Instant since() const { return since_; }

    // When on_settled() is due; never() unless up in a loop that was told.
    [[nodiscard]] core::Instant settles_at() const;

    [[nodiscard]] uint64_t restarts() const { return restarts_; }

    [[nodiscard]] bool has_been_up() const { return has_been_up_; }

    // Since when it is not up; none while it is.
    [[nodiscard]] std::optional<core::Instant> down_since() const { return down_since_; }

    [[nodiscard]] core::Duration pause() const { return pause_; }

    [[nodiscard]] const std::string& last_end() const { return last_end_; }

private:
    void enter(InstanceState state, core::Instant now);
    [[nodiscard]] std::optional<Report> report_of(const child::RunEnd& end, core::Instant now);

    RestartConfig config_;
    InstanceState state_ = InstanceState::starting;
    core::Instant since_;
    std::optional<core::Instant> down_since_;
    uint32_t ends_in_row_ = 0;
    uint64_t restarts_ = 0;
    core::Duration pause_{0};
    bool has_been_up_ = false;
    std::optional<core::Instant> loop_reported_at_;  // of the present loop
    uint64_t ends_untold_ = 0;
    std::string last_end_;
};

// The cure that belongs to an end before the gate, or to a crash loop.
[[nodiscard]] std::string_view cure_of(child::EndCause cause);

}  // namespace app
