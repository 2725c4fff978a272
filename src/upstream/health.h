// The health of one backend: which state it is in after each check, each failed request and each word of the
// operator.
//
// clang-format off
//                checking              up                     down
//  good check    up                    failures = 0           rise in a row: up, slow start begins
//  failed check  down (decides alone)  fall in a row: down    successes = 0
//  refused       down, check at once   down, check at once    successes = 0
//  reset,        as one failed check towards fall, once between two checks, and a check at once;
//  timeout       nothing when down
// clang-format on
//
// A backend that was never up may be starting: it is checked sooner than at each interval, and one good check
// is enough.
//
// Over this lies the operator's word: draining (checks go on), disabled (no checks), enabled (back in, with
// slow start).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/units.h"
#include "upstream/backend_set.h"
#include "upstream/config.h"

namespace upstream {

enum class CheckVerdict : uint8_t { good, failed };

struct CheckResult {
    CheckVerdict verdict = CheckVerdict::failed;
    std::string sentence;  // what was seen, without a full stop: "connect: Connection refused", "GET
                           // /healthz: 503"
};

// What a request of a client met. A refused connection counts at once. The others count as one failed check,
// and only once between two checks: requests that are slow by themselves cannot take down a backend whose
// checks are good.
enum class PassiveKind : uint8_t {
    refused,  // no connection: refused or unreachable
    reset,    // the connection broke before an answer
    timeout,  // no connection, or no answer, in time
};

enum class AdminState : uint8_t { enabled, draining, disabled };

struct HealthDecision {
    BackendState state = BackendState::checking;
    bool has_changed = false;  // `state` differs from the one before: publish a new snapshot, log `why`
    std::string why;  // "down: 3 of 3 checks failed: connect: Connection refused"; empty if nothing changed
    core::Instant next_check;  // when the next check is to begin, if none is running; never() while disabled
};

struct HealthCounters {
    uint64_t checks_total = 0;
    uint64_t checks_failed_total = 0;
    uint64_t passive_failures_total = 0;
    uint64_t downs_total = 0;  // how often it went from serving to down
};

// One instance a backend a process, on the core that runs the checks. No clock, no I/O: `now` is given and
// must not go backwards. Each on_… call returns what follows from it.
class BackendHealth {
public:
    // Begins as `checking`, enabled, with a check due at once (a caller with many backends may spread
    // the first checks; a late one counts no less).
    BackendHealth(const HealthConfig& config, core::Instant now);

    // A check ended at `now`. The next one is due an interval later; for a backend that was never up, after
    // as many tenths of it as checks have failed. Ignored while disabled. A check that a failed request asks
    // for ("at once") is due at `now`, yet no sooner than a tenth of the interval after the last one.
    [[nodiscard]] HealthDecision on_check(const CheckResult& result, core::Instant now);

    // A client's request failed because of this backend. `sentence` as in CheckResult.
    [[nodiscard]] HealthDecision on_passive_failure(
        PassiveKind kind,
        std::string_view sentence,
        core::Instant now
    );

    // The operator's word. Enabled after disabled: what was known is old, so it is `checking` again and
    // serves, unless it was down: then it stays so until `rise` checks succeed. Enabling begins a slow start.
    [[nodiscard]] HealthDecision on_admin(AdminState admin, core::Instant now);

    // After a reload: state and counters stay, the next check follows the new interval; a new path is checked
    // at once.
    [[nodiscard]] HealthDecision on_config(const HealthConfig& config, core::Instant now);

    // Health and the operator's word together.
    [[nodiscard]] BackendState state() const;

    // Health alone: checking, up or down, also while draining or disabled.
    [[nodiscard]] BackendState health() const { return health_; }

    [[nodiscard]] AdminState admin() const { return admin_; }

    // Why it is in this state, as in HealthDecision::why.
    [[nodiscard]] const std::string& why() const { return why_; }

    [[nodiscard]] core::Instant changed_at() const { return changed_at_; }

    [[nodiscard]] core::Instant next_check() const { return next_check_; }

    // When slow start began; none if it never recovered or was enabled.
    [[nodiscard]] std::optional<core::Instant> recovered_at() const { return recovered_at_; }

    [[nodiscard]] const HealthCounters& counters() const { return counters_; }

private:
    std::string on_good_check(core::Instant now);
    std::string on_failed_check(std::string_view sentence);
    std::string count_failure(std::string_view sentence);
    std::string go_down(std::string_view what, std::string_view sentence);
    void ask_for_check(core::Instant now);
    [[nodiscard]] core::Duration pause() const;
    HealthDecision settle(BackendState before, std::string why, core::Instant now);

    HealthConfig config_;
    BackendState health_ = BackendState::checking;
    AdminState admin_ = AdminState::enabled;
    uint32_t failures_ = 0;            // in a row, while serving
    uint32_t successes_ = 0;           // in a row, while down
    bool is_request_counted_ = false;  // a request has failed since the last check, and counts towards `fall`
    bool is_request_in_row_ = false;   // one of failures_ was a request
    bool was_checked_ = false;
    bool was_up_ = false;
    core::Instant last_check_;
    core::Instant next_check_;
    core::Instant changed_at_;
    std::optional<core::Instant> recovered_at_;
    std::string why_;
    HealthCounters counters_;
};

// Slow start: the effective weight (in hundredths, see kWeightScale) `now`. It begins at a tenth and grows to
// the whole in 18 equal steps over `slow_start`. Without a recovery (at the start of the process) or with
// slow_start 0 it is whole.
[[nodiscard]] uint32_t effective_weight(
    uint32_t weight,
    std::optional<core::Instant> recovered_at,
    core::Instant now,
    core::Duration slow_start
);

// When effective_weight() changes next; never() when it is whole.
[[nodiscard]] core::Instant next_step_at(
    std::optional<core::Instant> recovered_at,
    core::Instant now,
    core::Duration slow_start
);

}  // namespace upstream
