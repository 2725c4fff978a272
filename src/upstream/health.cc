// Rise and fall of one backend, the operator's word over it, and the slow start after it.
#include "upstream/health.h"

#include <algorithm>
#include <format>
#include <utility>

#include "core/panic.h"

namespace upstream {

namespace {

// A check that a failed request asks for comes at once, yet not sooner after the last one than this part of
// the interval, so that failing traffic does not turn into a storm of checks. The pauses between the checks
// of a backend that is still starting grow by this part.
constexpr int kEarlyCheckPart = 10;

constexpr uint32_t kSlowStartSteps = 18;         // of 5 % each,
constexpr uint32_t kSlowStartPercentFirst = 10;  // from a tenth
constexpr uint32_t kSlowStartPercentStep = 5;
static_assert(kSlowStartPercentFirst + kSlowStartSteps * kSlowStartPercentStep == 100);
static_assert(kWeightScale == 100);  // an effective weight is a weight times a percentage

const char* passive_name(PassiveKind kind) {
    switch (kind) {
        case PassiveKind::refused: return "a request was refused";
        case PassiveKind::reset: return "a request lost its connection";
        case PassiveKind::timeout: return "a request timed out";
    }
    PANIC("a passive failure outside its enumeration");
}

// Which step of slow start is reached: 0 to kSlowStartSteps.
uint32_t slow_start_step(
    std::optional<core::Instant> recovered_at,
    core::Instant now,
    core::Duration slow_start
) {
    if (!recovered_at || slow_start <= core::Duration::zero()) {
        return kSlowStartSteps;
    }
    const core::Duration elapsed = std::clamp(now - *recovered_at, core::Duration::zero(), slow_start);
    return static_cast<uint32_t>(elapsed * kSlowStartSteps / slow_start);
}

}  // namespace

BackendHealth::BackendHealth(const HealthConfig& config, core::Instant now)
    : config_(config),
      last_check_(now),
      next_check_(now),
      changed_at_(now),
      why_("checking: not checked yet") {}

BackendState BackendHealth::state() const {
    switch (admin_) {
        case AdminState::enabled: return health_;
        case AdminState::draining: return BackendState::draining;
        case AdminState::disabled: return BackendState::disabled;
    }
    PANIC("an admin state outside its enumeration");
}

HealthDecision BackendHealth::on_check(const CheckResult& result, core::Instant now) {
    const BackendState before = state();
    if (admin_ == AdminState::disabled) {
        return settle(before, {}, now);
    }
    ++counters_.checks_total;
    last_check_ = now;
    was_checked_ = true;
    is_request_counted_ = false;
    std::string why;
    if (result.verdict == CheckVerdict::good) {
        why = on_good_check(now);
    } else {
        ++counters_.checks_failed_total;
        why = on_failed_check(result.sentence);
    }
    next_check_ = now + pause();
    return settle(before, std::move(why), now);
}

// From the end of one check to the beginning of the next. A backend that was never up may be starting
// together with us: it is not kept waiting for a whole interval.
core::Duration BackendHealth::pause() const {
    if (was_up_ || counters_.checks_failed_total >= kEarlyCheckPart) {
        return config_.interval;
    }
    return config_.interval * static_cast<int64_t>(counters_.checks_failed_total) / kEarlyCheckPart;
}

// The sentence of a change of health, empty if there is none.
std::string BackendHealth::on_good_check(core::Instant now) {
    failures_ = 0;
    is_request_in_row_ = false;
    bool was_up = std::exchange(was_up_, true);
    if (health_ == BackendState::checking) {
        health_ = BackendState::up;
        return "up: the first check succeeded";
    }
    if (!was_up && health_ == BackendState::down) {
        health_ = BackendState::up;
        return "up: the first check that succeeded";
    }
    if (health_ == BackendState::down && ++successes_ >= config_.rise) {
        health_ = BackendState::up;
        recovered_at_ = now;
        return std::format("up: {} of {} checks succeeded", successes_, config_.rise);
    }
    return {};
}

std::string BackendHealth::on_failed_check(std::string_view sentence) {
    successes_ = 0;
    if (health_ == BackendState::down) {
        return {};
    }
    if (health_ == BackendState::checking) {
        return go_down("the first check failed", sentence);
    }
    return count_failure(sentence);
}

// One step towards `fall`, by a check or by a request.
std::string BackendHealth::count_failure(std::string_view sentence) {
    ++failures_;
    if (failures_ < config_.fall) {
        return {};
    }
    const char* what = is_request_in_row_ ? "checks and requests" : "checks";
    return go_down(std::format("{} of {} {} failed", failures_, config_.fall, what), sentence);
}

std::string BackendHealth::go_down(std::string_view what, std::string_view sentence) {
    health_ = BackendState::down;
    failures_ = 0;
    is_request_in_row_ = false;
    successes_ = 0;
    ++counters_.downs_total;
    return std::format("down: {}: {}", what, sentence);
}

HealthDecision BackendHealth::on_passive_failure(
    PassiveKind kind,
    std::string_view sentence,
    core::Instant now
) {
    const BackendState before = state();
    ++counters_.passive_failures_total;
    if (admin_ == AdminState::disabled) {
        return settle(before, {}, now);
    }
    if (health_ == BackendState::down) {
        // A refusal is news of this moment. A broken or slow answer may be to a request from before the fall.
        if (kind == PassiveKind::refused) {
            successes_ = 0;
        }
        return settle(before, {}, now);
    }
    std::string why;
    if (kind == PassiveKind::refused) {
        why = go_down(passive_name(kind), sentence);
        ask_for_check(now);
    } else if (!is_request_counted_) {
        is_request_counted_ = true;
        is_request_in_row_ = true;
        why = count_failure(std::format("{}: {}", passive_name(kind), sentence));
        ask_for_check(now);
    }
    return settle(before, std::move(why), now);
}

void BackendHealth::ask_for_check(core::Instant now) {
    const core::Instant earliest = was_checked_ ? last_check_ + config_.interval / kEarlyCheckPart : now;
    next_check_ = std::min(next_check_, std::max(now, earliest));
}

HealthDecision BackendHealth::on_admin(AdminState admin, core::Instant now) {
    const BackendState before = state();
    if (admin == admin_) {
        return settle(before, {}, now);
    }
    const AdminState previous = std::exchange(admin_, admin);
    if (previous == AdminState::disabled) {
        next_check_ = now;
        is_request_counted_ = false;
        if (health_ == BackendState::up) {
            health_ = BackendState::checking;
            failures_ = 0;
            is_request_in_row_ = false;
        }
    }
    switch (admin) {
        case AdminState::draining: return settle(before, "draining: the operator asked for it", now);
        case AdminState::disabled:
            next_check_ = core::Instant::never();
            return settle(before, "disabled: the operator asked for it", now);
        case AdminState::enabled: break;
    }
    if (health_ == BackendState::down) {
        return settle(before, "down: enabled by the operator, and not healthy yet", now);
    }
    recovered_at_ = now;
    return settle(before, std::format("{}: enabled by the operator", backend_state_name(health_)), now);
}

HealthDecision BackendHealth::on_config(const HealthConfig& config, core::Instant now) {
    const bool is_same_check = config.path == config_.path;
    config_ = config;
    if (admin_ != AdminState::disabled) {
        const core::Instant regular = was_checked_ ? last_check_ + config_.interval : now;
        next_check_ = is_same_check ? std::max(now, std::min(next_check_, regular)) : now;
    }
    return settle(state(), {}, now);
}

// What the caller is told; `why` becomes the reason of the state only if the state is another one.
HealthDecision BackendHealth::settle(BackendState before, std::string why, core::Instant now) {
    const BackendState after = state();
    if (after == before) {
        return {.state = after, .has_changed = false, .why = {}, .next_check = next_check_};
    }
    ASSERT(!why.empty());
    changed_at_ = now;
    why_ = std::move(why);
    return {.state = after, .has_changed = true, .why = why_, .next_check = next_check_};
}

uint32_t effective_weight(
    uint32_t weight,
    std::optional<core::Instant> recovered_at,
    core::Instant now,
    core::Duration slow_start
) {
    ASSERT(weight <= kWeightMax);
    const uint32_t step = slow_start_step(recovered_at, now, slow_start);
    return weight * (kSlowStartPercentFirst + step * kSlowStartPercentStep);
}

core::Instant next_step_at(
    std::optional<core::Instant> recovered_at,
    core::Instant now,
    core::Duration slow_start
) {
    const uint32_t step = slow_start_step(recovered_at, now, slow_start);
    if (step == kSlowStartSteps) {
        return core::Instant::never();
    }
    // Rounded up to a whole nanosecond, so that the step is reached when the time has come.
    const core::Duration until =
        (slow_start * (step + 1) + core::Duration(kSlowStartSteps - 1)) / kSlowStartSteps;
    return *recovered_at + until;
}

}  // namespace upstream
