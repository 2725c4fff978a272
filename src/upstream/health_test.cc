// The health of a backend: rise, fall, failed requests, the operator, slow start; told as sequences of
// events.
#include "upstream/health.h"

#include <doctest/doctest.h>

namespace upstream {

namespace {

using namespace std::chrono_literals;
using enum BackendState;

constexpr core::Instant at(core::Duration since_start) { return {since_start}; }

HealthConfig config() {
    return {.path = "/healthz", .interval = 2s, .timeout = 1s, .fall = 3, .rise = 2, .slow_start = 10s};
}

const CheckResult kGood{.verdict = CheckVerdict::good, .sentence = "GET /healthz: 200"};
const CheckResult kBad{.verdict = CheckVerdict::failed, .sentence = "connect: Connection refused"};

// A backend that is up since its first check at 0s.
BackendHealth healthy() {
    BackendHealth health(config(), at(0s));
    REQUIRE(health.on_check(kGood, at(0s)).state == up);
    return health;
}

// Down since 100 s.
BackendHealth fallen() {
    BackendHealth health = healthy();
    REQUIRE(
        health.on_passive_failure(PassiveKind::refused, "connect: Connection refused", at(100s)).state == down
    );
    return health;
}

}  // namespace

TEST_CASE("a_new_backend_is_checking_and_due_for_a_check_at_once") {
    const BackendHealth health(config(), at(7s));
    CHECK(health.state() == checking);
    CHECK(health.next_check() == at(7s));
    CHECK(health.why() == "checking: not checked yet");
    CHECK(!health.recovered_at());
}

TEST_CASE("the_first_check_decides_alone") {
    BackendHealth lucky(config(), at(0s));
    const HealthDecision good = lucky.on_check(kGood, at(1s));
    CHECK(good.state == up);
    CHECK(good.has_changed);
    CHECK(good.why == "up: the first check succeeded");
    CHECK(good.next_check == at(3s));
    CHECK(!lucky.recovered_at());  // no slow start at the start of the process

    BackendHealth unlucky(config(), at(0s));
    const HealthDecision bad = unlucky.on_check(kBad, at(1s));
    CHECK(bad.state == down);
    CHECK(bad.has_changed);
    CHECK(bad.why == "down: the first check failed: connect: Connection refused");
}

TEST_CASE("a_backend_that_is_starting_is_checked_often_and_one_good_check_is_enough") {
    BackendHealth health(config(), at(0s));
    CHECK(health.on_check(kBad, at(0s)).next_check == at(200ms));
    CHECK(health.on_check(kBad, at(200ms)).next_check == at(600ms));
    CHECK(health.on_check(kBad, at(600ms)).next_check == at(1200ms));
    const HealthDecision good = health.on_check(kGood, at(1200ms));
    CHECK(good.state == up);
    CHECK(good.why == "up: the first check that succeeded");
    CHECK(good.next_check == at(3200ms));
    CHECK(!health.recovered_at());  // it has not recovered: no slow start
    CHECK(health.on_passive_failure(PassiveKind::refused, "x", at(2s)).state == down);
    CHECK(health.on_check(kGood, at(3200ms)).state == down);  // from now on by the rule
}

TEST_CASE("a_backend_that_does_not_start_is_checked_at_each_interval_in_the_end") {
    BackendHealth health(config(), at(0s));
    core::Instant now = at(0s);
    for (int check = 0; check < 9; ++check) {
        now = health.on_check(kBad, now).next_check;
    }
    CHECK(now == at(9s));
    CHECK(health.on_check(kBad, now).next_check == at(11s));
    CHECK(health.on_check(kGood, at(11s)).state == up);
}

TEST_CASE("only_fall_failed_checks_in_a_row_take_a_backend_down") {
    BackendHealth health = healthy();
    CHECK(!health.on_check(kBad, at(2s)).has_changed);
    CHECK(!health.on_check(kBad, at(4s)).has_changed);
    CHECK(!health.on_check(kGood, at(6s)).has_changed);
    CHECK(health.on_check(kBad, at(8s)).state == up);
    CHECK(health.on_check(kBad, at(10s)).state == up);
    const HealthDecision third = health.on_check(kBad, at(12s));
    CHECK(third.state == down);
    CHECK(third.has_changed);
    CHECK(third.why == "down: 3 of 3 checks failed: connect: Connection refused");
    CHECK(third.next_check == at(14s));
    CHECK(health.changed_at() == at(12s));
    const HealthDecision fourth = health.on_check(kBad, at(14s));
    CHECK(!fourth.has_changed);
    CHECK(fourth.why.empty());
    CHECK(health.why() == "down: 3 of 3 checks failed: connect: Connection refused");
}

TEST_CASE("only_rise_good_checks_in_a_row_bring_it_up") {
    BackendHealth health = fallen();
    CHECK(health.on_check(kGood, at(101s)).state == down);
    CHECK(health.on_check(kBad, at(103s)).state == down);
    CHECK(health.on_check(kGood, at(105s)).state == down);
    const HealthDecision second = health.on_check(kGood, at(107s));
    CHECK(second.state == up);
    CHECK(second.has_changed);
    CHECK(second.why == "up: 2 of 2 checks succeeded");
    CHECK(health.recovered_at() == at(107s));
    CHECK(health.on_check(kBad, at(109s)).state == up);  // counting begins anew
}

TEST_CASE("a_refused_request_takes_it_down_at_once_and_asks_for_a_check") {
    BackendHealth health = healthy();
    const HealthDecision decision =
        health.on_passive_failure(PassiveKind::refused, "connect: refused", at(1s));
    CHECK(decision.state == down);
    CHECK(decision.has_changed);
    CHECK(decision.why == "down: a request was refused: connect: refused");
    CHECK(decision.next_check == at(1s));
    CHECK(!health.on_passive_failure(PassiveKind::refused, "connect: refused", at(1s)).has_changed);
    CHECK(health.counters().downs_total == 1);
    CHECK(health.counters().passive_failures_total == 2);
}

TEST_CASE("a_refused_request_makes_a_recovery_begin_anew") {
    BackendHealth health = fallen();
    CHECK(health.on_check(kGood, at(101s)).state == down);
    CHECK(health.on_passive_failure(PassiveKind::refused, "x", at(102s)).state == down);
    CHECK(health.on_check(kGood, at(103s)).state == down);
    CHECK(health.on_check(kGood, at(105s)).state == up);
}

TEST_CASE("late_failures_of_old_requests_do_not_hold_up_a_recovery") {
    BackendHealth health = fallen();
    CHECK(health.on_check(kGood, at(101s)).state == down);
    CHECK(health.on_passive_failure(PassiveKind::timeout, "x", at(102s)).next_check == at(103s));
    CHECK(health.on_passive_failure(PassiveKind::reset, "x", at(102s)).state == down);
    CHECK(health.on_check(kGood, at(103s)).state == up);
}

TEST_CASE("slow_requests_do_not_take_down_a_backend_whose_checks_are_good") {
    BackendHealth health = healthy();
    for (int round = 1; round <= 20; ++round) {
        const core::Duration time = round * 2s;
        for (int request = 0; request < 50; ++request) {
            REQUIRE(health.on_passive_failure(PassiveKind::timeout, "no answer", at(time - 1s)).state == up);
        }
        REQUIRE(health.on_check(kGood, at(time)).state == up);
    }
}

TEST_CASE("failed_requests_and_failed_checks_add_up") {
    BackendHealth health = healthy();
    CHECK(health.on_passive_failure(PassiveKind::reset, "read: reset", at(1s)).next_check == at(1s));
    CHECK(health.on_check(kBad, at(1500ms)).state == up);
    const HealthDecision third =
        health.on_passive_failure(PassiveKind::timeout, "no answer in 60s", at(1600ms));
    CHECK(third.state == down);
    CHECK(third.why == "down: 3 of 3 checks and requests failed: a request timed out: no answer in 60s");
}

TEST_CASE("a_later_row_of_checks_alone_does_not_speak_of_requests") {
    BackendHealth health = healthy();
    CHECK(health.on_passive_failure(PassiveKind::reset, "x", at(1s)).state == up);
    CHECK(health.on_check(kGood, at(2s)).state == up);
    CHECK(health.on_check(kBad, at(4s)).state == up);
    CHECK(health.on_check(kBad, at(6s)).state == up);
    CHECK(health.on_check(kBad, at(8s)).why == "down: 3 of 3 checks failed: connect: Connection refused");
}

TEST_CASE("failing_traffic_does_not_become_a_storm_of_checks") {
    BackendHealth health = healthy();
    CHECK(health.on_check(kGood, at(10s)).next_check == at(12s));
    CHECK(health.on_passive_failure(PassiveKind::reset, "x", at(10001ms)).next_check == at(10200ms));
    CHECK(health.on_check(kGood, at(10200ms)).next_check == at(12200ms));
    CHECK(health.on_passive_failure(PassiveKind::reset, "x", at(11s)).next_check == at(11s));
}

TEST_CASE("a_draining_backend_is_checked_on_and_comes_back_slowly") {
    BackendHealth health = healthy();
    const HealthDecision draining_now = health.on_admin(AdminState::draining, at(10s));
    CHECK(draining_now.state == draining);
    CHECK(draining_now.has_changed);
    CHECK(draining_now.why == "draining: the operator asked for it");
    CHECK(draining_now.next_check == at(2s));
    CHECK(!health.on_admin(AdminState::draining, at(11s)).has_changed);
    CHECK(!health.on_check(kGood, at(12s)).has_changed);
    const HealthDecision back = health.on_admin(AdminState::enabled, at(20s));
    CHECK(back.state == up);
    CHECK(back.why == "up: enabled by the operator");
    CHECK(health.recovered_at() == at(20s));
}

TEST_CASE("a_backend_that_died_while_draining_is_down_when_enabled") {
    BackendHealth health = healthy();
    CHECK(health.on_admin(AdminState::draining, at(10s)).state == draining);
    const HealthDecision died = health.on_passive_failure(PassiveKind::refused, "x", at(11s));
    CHECK(died.state == draining);
    CHECK(!died.has_changed);
    CHECK(health.health() == down);
    CHECK(health.why() == "draining: the operator asked for it");
    const HealthDecision back = health.on_admin(AdminState::enabled, at(12s));
    CHECK(back.state == down);
    CHECK(back.why == "down: enabled by the operator, and not healthy yet");
    CHECK(!health.recovered_at());
}

TEST_CASE("a_disabled_backend_is_not_checked_and_hears_nothing") {
    BackendHealth health = healthy();
    const HealthDecision disabled_now = health.on_admin(AdminState::disabled, at(10s));
    CHECK(disabled_now.state == disabled);
    CHECK(disabled_now.next_check.is_never());
    CHECK(health.on_check(kBad, at(11s)).next_check.is_never());
    CHECK(health.on_passive_failure(PassiveKind::refused, "x", at(12s)).state == disabled);
    CHECK(health.on_config(config(), at(13s)).next_check.is_never());
    CHECK(health.counters().checks_failed_total == 0);
    const HealthDecision back = health.on_admin(AdminState::enabled, at(20s));
    CHECK(back.state == checking);
    CHECK(back.next_check == at(20s));
    CHECK(back.why == "checking: enabled by the operator");
    CHECK(health.recovered_at() == at(20s));
    CHECK(health.on_check(kBad, at(20s)).state == down);
}

TEST_CASE("a_backend_that_was_down_when_disabled_must_rise_again") {
    BackendHealth health = fallen();
    CHECK(health.on_admin(AdminState::disabled, at(110s)).state == disabled);
    const HealthDecision back = health.on_admin(AdminState::enabled, at(120s));
    CHECK(back.state == down);
    CHECK(back.next_check == at(120s));
    CHECK(health.on_check(kGood, at(120s)).state == down);
    CHECK(health.on_check(kGood, at(122s)).state == up);
    CHECK(health.recovered_at() == at(122s));
}

TEST_CASE("disabled_to_draining_begins_to_check_again") {
    BackendHealth health = healthy();
    CHECK(health.on_admin(AdminState::disabled, at(10s)).has_changed);
    const HealthDecision decision = health.on_admin(AdminState::draining, at(20s));
    CHECK(decision.state == draining);
    CHECK(decision.next_check == at(20s));
    CHECK(health.health() == checking);
}

TEST_CASE("a_new_configuration_keeps_the_state_and_moves_the_next_check") {
    BackendHealth health = fallen();
    CHECK(health.on_check(kBad, at(100s)).next_check == at(102s));
    HealthConfig faster = config();
    faster.interval = 500ms;
    faster.rise = 1;
    const HealthDecision decision = health.on_config(faster, at(100200ms));
    CHECK(decision.state == down);
    CHECK(!decision.has_changed);
    CHECK(decision.next_check == at(100500ms));
    HealthConfig other_path = faster;
    other_path.path = "/ready";
    CHECK(health.on_config(other_path, at(100300ms)).next_check == at(100300ms));
    CHECK(health.on_check(kGood, at(100300ms)).why == "up: 1 of 1 checks succeeded");
}

TEST_CASE("counters_count") {
    BackendHealth health = healthy();
    for (int i = 1; i <= 3; ++i) {
        static_cast<void>(health.on_check(kBad, at(i * 2s)));
    }
    static_cast<void>(health.on_check(kGood, at(8s)));
    CHECK(health.counters().checks_total == 5);
    CHECK(health.counters().checks_failed_total == 3);
    CHECK(health.counters().passive_failures_total == 0);
    CHECK(health.counters().downs_total == 1);
}

TEST_CASE("slow_start_grows_in_even_steps_from_a_tenth_to_the_whole") {
    CHECK(effective_weight(100, at(50s), at(50s), 18s) == 1000);
    CHECK(effective_weight(100, at(50s), at(50999ms), 18s) == 1000);
    CHECK(effective_weight(100, at(50s), at(51s), 18s) == 1500);
    CHECK(effective_weight(100, at(50s), at(59s), 18s) == 5500);
    CHECK(effective_weight(100, at(50s), at(67999ms), 18s) == 9500);
    CHECK(effective_weight(100, at(50s), at(68s), 18s) == 10000);
    CHECK(effective_weight(100, at(50s), at(1000s), 18s) == 10000);
    CHECK(effective_weight(1, at(50s), at(50s), 18s) == 10);
    CHECK(effective_weight(0, at(50s), at(50s), 18s) == 0);
    CHECK(effective_weight(256, at(0s), at(3600s), 3600s) == 25600);
}

TEST_CASE("without_a_recovery_or_a_slow_start_the_weight_is_whole") {
    CHECK(effective_weight(100, std::nullopt, at(0s), 10s) == 10000);
    CHECK(effective_weight(100, at(5s), at(5s), 0s) == 10000);
    CHECK(next_step_at(std::nullopt, at(0s), 10s).is_never());
    CHECK(next_step_at(at(5s), at(5s), 0s).is_never());
}

TEST_CASE("each_step_of_slow_start_is_reached_when_it_was_announced") {
    for (const core::Duration slow_start : {10s, 18s, 7s, 3600s}) {
        core::Instant now = at(123456789ns);
        const core::Instant recovered_at = now;
        uint32_t steps = 0;
        uint32_t weight = effective_weight(100, recovered_at, now, slow_start);
        for (core::Instant next = next_step_at(recovered_at, now, slow_start); !next.is_never();
             next = next_step_at(recovered_at, now, slow_start)) {
            REQUIRE(next > now);
            REQUIRE(effective_weight(100, recovered_at, next + -1ns, slow_start) == weight);
            now = next;
            const uint32_t grown = effective_weight(100, recovered_at, now, slow_start);
            REQUIRE(grown == weight + 500);
            weight = grown;
            ++steps;
        }
        CHECK(steps == 18);
        CHECK(weight == 10000);
        CHECK(now == recovered_at + slow_start);
    }
}

}  // namespace upstream
