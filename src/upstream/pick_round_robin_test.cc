// Round robin: exact shares over every cycle, no bursts, changes without a jolt, a flat cost.
#include "upstream/pick_round_robin.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <doctest/doctest.h>

#include "core/random.h"

namespace upstream {

namespace {

using Weights = std::vector<uint32_t>;

// Backend i has id first_id + i. Weight 0 stays outside the rotation.
BackendSet set_of(const Weights& effective_weights, uint32_t first_id = 0) {
    std::vector<BackendView> backends(effective_weights.size());
    for (uint32_t i = 0; i < backends.size(); ++i) {
        backends[i].id = first_id + i;
        backends[i].weight = kWeightMax;
        backends[i].effective_weight = effective_weights[i];
    }
    return build_backend_set({}, std::move(backends));
}

BackendSet full_set_of(Weights weights) {
    for (uint32_t& weight : weights) {
        weight *= kWeightScale;
    }
    return set_of(weights);
}

uint32_t sum_of(const Weights& weights) {
    return std::accumulate(weights.begin(), weights.end(), uint32_t{0});
}

// The length of a full cycle, in picks.
uint32_t cycle_of(const Weights& weights) {
    const uint32_t divisor =
        std::accumulate(weights.begin(), weights.end(), uint32_t{0}, std::gcd<uint32_t, uint32_t>);
    return sum_of(weights) / divisor;
}

// The next backend whose index is not in `tried`.
std::optional<uint32_t> pick_untried(RoundRobin& turns, const std::vector<uint32_t>& tried) {
    return turns.pick([&](uint32_t index) {
        return std::ranges::contains(tried, index) ? Verdict::pass : Verdict::take;
    });
}

Weights count_picks(RoundRobin& turns, size_t backends, uint32_t picks) {
    Weights counts(backends, 0);
    for (uint32_t i = 0; i < picks; ++i) {
        ++counts.at(turns.pick().value());
    }
    return counts;
}

// What each backend gets in one full cycle.
Weights exact_shares(const Weights& weights) {
    Weights shares = weights;
    const uint32_t divisor = sum_of(weights) / cycle_of(weights);
    for (uint32_t& share : shares) {
        share /= divisor;
    }
    return shares;
}

Weights random_weights(core::Random& random, size_t backends_max) {
    Weights weights(1 + random.below(backends_max));
    const uint64_t weight_max = std::array<uint64_t, 3>{3, 20, 256}[random.below(3)];
    for (uint32_t& weight : weights) {
        weight = static_cast<uint32_t>(random.below(weight_max + 1));
    }
    weights.front() = std::max<uint32_t>(weights.front(), 1);
    return weights;
}

// nginx's smooth weighted round robin (ngx_http_upstream_round_robin.c), the yardstick for smoothness.
class NginxSmooth {
public:
    explicit NginxSmooth(const Weights& weights) : weights_(weights), current_(weights.size(), 0) {}

    uint32_t pick() {
        size_t best = 0;
        for (size_t i = 0; i < weights_.size(); ++i) {
            current_[i] += weights_[i];
            best = current_[i] > current_[best] ? i : best;
        }
        current_[best] -= sum_of(weights_);
        return static_cast<uint32_t>(best);
    }

private:
    Weights weights_;
    std::vector<int64_t> current_;
};

struct Deviation {
    double from_start = 0;  // the largest |picks - expected| of any backend in any prefix
    double in_window = 0;   // the same in any window
};

template <class Pick>
Deviation deviation_of(const Weights& weights, uint32_t picks, Pick pick) {
    const double sum = sum_of(weights);
    std::vector<double> counts(weights.size()), low(weights.size()), high(weights.size());
    Deviation worst;
    for (uint32_t k = 1; k <= picks; ++k) {
        counts[pick()] += 1;
        for (size_t i = 0; i < weights.size(); ++i) {
            const double deviation = counts[i] - k * (weights[i] / sum);
            low[i] = std::min(low[i], deviation);
            high[i] = std::max(high[i], deviation);
            worst.from_start = std::max(worst.from_start, std::abs(deviation));
            worst.in_window = std::max(worst.in_window, high[i] - low[i]);
        }
    }
    return worst;
}

}  // namespace

TEST_CASE("equal_weights_alternate_strictly") {
    RoundRobin turns(0);
    turns.reset(full_set_of({100, 100}));
    uint32_t last = turns.pick().value();
    for (int i = 0; i < 1000; ++i) {
        const uint32_t next = turns.pick().value();
        REQUIRE(next != last);
        last = next;
    }
}

TEST_CASE("an_empty_rotation_gives_no_backend") {
    RoundRobin turns(3);
    CHECK(!turns.pick());
    turns.reset(full_set_of({0, 0}));
    CHECK(!turns.pick());
    CHECK(!pick_untried(turns, {}));
}

TEST_CASE("a_full_cycle_is_exact_wherever_it_begins") {
    core::Random random(1);
    for (uint32_t trial = 0; trial < 120; ++trial) {
        const Weights weights = random_weights(random, trial % 10 == 0 ? 300 : 20);
        const uint32_t cycle = cycle_of(weights);
        RoundRobin turns(trial % 7);
        turns.reset(full_set_of(weights));
        CAPTURE(trial);
        REQUIRE(count_picks(turns, weights.size(), cycle) == exact_shares(weights));
        count_picks(turns, weights.size(), static_cast<uint32_t>(random.below(cycle)));
        REQUIRE(count_picks(turns, weights.size(), cycle) == exact_shares(weights));
    }
}

TEST_CASE("weights_in_hundredths_are_exact_too") {
    const Weights weights{25600, 10, 12345, 777};
    RoundRobin turns(1);
    turns.reset(set_of(weights));
    CHECK(count_picks(turns, weights.size(), cycle_of(weights)) == weights);
}

TEST_CASE("many_cycles_do_not_drift") {
    const Weights weights{7, 3, 1};
    RoundRobin turns(0);
    turns.reset(full_set_of(weights));
    CHECK(count_picks(turns, 3, 11 * 100'000) == Weights{700'000, 300'000, 100'000});
    CHECK(count_picks(turns, 3, 11) == weights);
}

TEST_CASE("no_prefix_and_no_window_is_far_from_its_share") {
    core::Random random(2);
    double worst_window = 0;
    double worst_window_of_nginx = 0;
    for (uint32_t trial = 0; trial < 60; ++trial) {
        Weights weights = random_weights(random, trial % 10 == 0 ? 300 : 20);
        if (trial % 4 == 0) {  // one heavy among light ones is the hard case
            std::ranges::fill(weights, 1);
            weights[random.below(weights.size())] = 256;
        }
        const uint32_t picks = std::min<uint32_t>(cycle_of(weights), 5000);
        RoundRobin turns(trial % 5);
        turns.reset(full_set_of(weights));
        const Deviation ours = deviation_of(weights, picks, [&] { return turns.pick().value(); });
        NginxSmooth smooth(weights);
        const Deviation theirs = deviation_of(weights, picks, [&] { return smooth.pick(); });
        CAPTURE(trial);
        REQUIRE(ours.from_start < 2.0);
        worst_window = std::max(worst_window, ours.in_window);
        worst_window_of_nginx = std::max(worst_window_of_nginx, theirs.in_window);
    }
    CHECK(worst_window < worst_window_of_nginx + 0.5);
}

TEST_CASE("a_heavy_backend_gets_no_run_longer_than_its_share_asks_for") {
    const Weights weights{60, 10, 10, 10};
    RoundRobin turns(0);
    turns.reset(full_set_of(weights));
    uint32_t run = 0;
    uint32_t longest = 0;
    for (int i = 0; i < 9000; ++i) {
        run = turns.pick() == 0u ? run + 1 : 0;
        longest = std::max(longest, run);
    }
    CHECK(longest >= 2);
    CHECK(longest <= 3);
}

TEST_CASE("a_changed_weight_counts_from_the_next_pick_without_a_burst") {
    core::Random random(3);
    for (uint32_t trial = 0; trial < 60; ++trial) {
        Weights weights = random_weights(random, 12);
        RoundRobin turns(trial % 3);
        turns.reset(full_set_of(weights));
        CAPTURE(trial);
        for (int change = 0; change < 8; ++change) {
            count_picks(turns, weights.size(), static_cast<uint32_t>(random.below(50)));
            weights[random.below(weights.size())] = static_cast<uint32_t>(random.below(257));
            if (sum_of(weights) == 0) {
                weights.front() = 1;
            }
            turns.reset(full_set_of(weights));
            const Deviation deviation = deviation_of(weights, 60, [&] { return turns.pick().value(); });
            REQUIRE(deviation.from_start < 4.0);
        }
        turns.reset(full_set_of(weights));
        REQUIRE(count_picks(turns, weights.size(), cycle_of(weights)) == exact_shares(weights));
    }
}

TEST_CASE("a_reset_to_the_same_weights_changes_no_turn") {
    const BackendSet set = full_set_of({5, 3, 9, 1});
    RoundRobin undisturbed(2);
    RoundRobin disturbed(2);
    undisturbed.reset(set);
    disturbed.reset(set);
    for (int i = 0; i < 500; ++i) {
        REQUIRE(disturbed.pick() == undisturbed.pick());
        disturbed.reset(set);
    }
}

TEST_CASE("a_backend_that_joins_or_leaves_does_not_move_the_others") {
    RoundRobin turns(0);
    turns.reset(full_set_of({100, 100, 100, 100}));
    count_picks(turns, 4, 4001);
    const Weights joined{100, 100, 100, 100, 100};
    turns.reset(full_set_of(joined));
    CHECK(count_picks(turns, 5, 5) == Weights{1, 1, 1, 1, 1});
    turns.reset(full_set_of({100, 0, 100, 100, 100}));
    CHECK(count_picks(turns, 5, 4) == Weights{1, 0, 1, 1, 1});
}

TEST_CASE("turns_follow_the_id_when_indexes_move") {
    RoundRobin turns(0);
    turns.reset(set_of({100, 100, 100}, 10));  // ids 10, 11, 12
    const uint32_t last_id = 10 + turns.pick().value();
    const uint32_t before_last_id = 10 + turns.pick().value();
    std::vector<BackendView> reversed(3);
    for (uint32_t i = 0; i < 3; ++i) {
        reversed[i].id = 12 - i;
        reversed[i].effective_weight = 100;
    }
    turns.reset(build_backend_set({}, std::move(reversed)));
    const uint32_t next_id = 12 - turns.pick().value();
    CHECK(next_id != last_id);
    CHECK(next_id != before_last_id);
    CHECK(12 - turns.pick().value() == last_id);
}

TEST_CASE("cores_do_not_ask_the_same_backend_at_the_same_moment") {
    constexpr size_t kBackends = 8;
    std::map<uint32_t, int> first_picks;
    for (uint32_t core = 0; core < kBackends; ++core) {
        RoundRobin turns(core);
        turns.reset(full_set_of(Weights(kBackends, 100)));
        ++first_picks[turns.pick().value()];
    }
    CHECK(first_picks.size() >= 5);
    for (const auto& [backend, cores] : first_picks) {
        CHECK(cores <= 2);
    }
}

TEST_CASE("a_tried_backend_keeps_its_turn_for_the_next_request") {
    const BackendSet set = full_set_of({100, 100, 100});
    RoundRobin turns(0);
    RoundRobin plain(0);
    turns.reset(set);
    plain.reset(set);
    const std::vector<uint32_t> order{*plain.pick(), *plain.pick(), *plain.pick()};
    const std::vector<uint32_t> tried{order[0]};
    CHECK(pick_untried(turns, tried) == order[1]);
    CHECK(turns.pick() == order[0]);
    CHECK(turns.pick() == order[2]);
    for (int i = 0; i < 30; ++i) {
        REQUIRE(turns.pick() == plain.pick());
    }
    const std::vector<uint32_t> all{0, 1, 2};
    CHECK(!pick_untried(turns, all));
    CHECK(turns.pick() == plain.pick());
}

TEST_CASE("a_weight_that_changes_all_the_time_wins_no_picks_by_it") {
    RoundRobin turns(0);
    uint32_t picks_of_changing = 0;
    for (uint32_t i = 0; i < 1000; ++i) {
        turns.reset(set_of({20'000 + i % 2, 20'000, 20'000, 20'000}));
        picks_of_changing += turns.pick() == 0u ? 1 : 0;
    }
    CHECK(picks_of_changing >= 249);
    CHECK(picks_of_changing <= 251);
}

TEST_CASE("a_tried_backend_keeps_its_turn_when_its_weight_changes") {
    RoundRobin turns(0);
    turns.reset(set_of({100, 100, 100, 100}));
    count_picks(turns, 4, 401);
    RoundRobin forecast = turns;
    const uint32_t next = forecast.pick().value();
    const std::vector<uint32_t> tried{next};
    REQUIRE(pick_untried(turns, tried) != next);
    Weights weights(4, 100);
    weights[next] = 101;
    turns.reset(set_of(weights));
    CHECK(turns.pick() == next);
}

TEST_CASE("a_late_turn_does_not_move_time_back_for_those_who_join") {
    RoundRobin turns(0);
    turns.reset(set_of({100, 100, 100, 100}));
    const std::vector<uint32_t> tried{2};
    for (int i = 0; i < 100; ++i) {
        REQUIRE(pick_untried(turns, tried) != 2u);
    }
    REQUIRE(turns.pick() == 2u);
    turns.reset(set_of({100, 100, 100, 100, 100}));
    CHECK(count_picks(turns, 5, 20)[4] <= 5);
}

TEST_CASE("retries_leave_the_shares_exact") {
    core::Random random(4);
    const Weights weights{200, 100, 50, 50, 1, 30};
    RoundRobin turns(0);
    turns.reset(full_set_of(weights));
    Weights counts(weights.size(), 0);
    const uint32_t picks = sum_of(weights) * 40;
    for (uint32_t i = 0; i < picks; ++i) {
        const std::vector<uint32_t> tried{
            static_cast<uint32_t>(random.below(6)),
            static_cast<uint32_t>(random.below(6))
        };
        ++counts[(i % 20 == 0 ? pick_untried(turns, tried) : turns.pick()).value()];
    }
    for (size_t i = 0; i < weights.size(); ++i) {
        CAPTURE(i);
        CHECK(std::abs(static_cast<int>(counts[i]) - static_cast<int>(weights[i] * 40)) <= 3);
    }
}

TEST_CASE("a_full_backend_loses_its_turns_and_gets_no_burst_afterwards") {
    const Weights weights{100, 50, 50, 200};
    RoundRobin turns(0);
    turns.reset(full_set_of(weights));
    const auto has_room = [](uint32_t index) { return index == 3 ? Verdict::full : Verdict::take; };
    Weights counts(4, 0);
    for (int i = 0; i < 400; ++i) {
        ++counts[turns.pick(has_room).value()];
    }
    CHECK(counts == Weights{200, 100, 100, 0});
    const Deviation deviation = deviation_of(weights, 400, [&] { return turns.pick().value(); });
    CHECK(deviation.from_start < 2.0);
    CHECK(count_picks(turns, 4, 8) == Weights{2, 1, 1, 4});
}

TEST_CASE("the_one_backend_with_room_is_found_behind_any_number_of_full_ones") {
    constexpr uint32_t kBackends = 500;
    RoundRobin turns(0);
    Weights weights(kBackends, 256);
    weights[321] = 1;
    turns.reset(full_set_of(weights));
    const auto only_321 = [](uint32_t index) { return index == 321 ? Verdict::take : Verdict::full; };
    const auto none = [](uint32_t) { return Verdict::full; };
    for (int i = 0; i < 300; ++i) {
        REQUIRE(turns.pick(only_321) == 321u);
        REQUIRE(!turns.pick(none));
    }
    CHECK(count_picks(turns, kBackends, cycle_of(weights)) == exact_shares(weights));
}

TEST_CASE("nobody_loses_a_turn_when_no_backend_has_room") {
    for (const size_t backends : {3UZ, 100UZ}) {
        const BackendSet set = full_set_of(Weights(backends, 7));
        RoundRobin asked_in_vain(0);
        RoundRobin plain(0);
        asked_in_vain.reset(set);
        plain.reset(set);
        for (int i = 0; i < 250; ++i) {
            REQUIRE(!asked_in_vain.pick([](uint32_t) { return Verdict::full; }));
            REQUIRE(asked_in_vain.pick() == plain.pick());
        }
    }
}

TEST_CASE("the_cost_of_a_pick_is_flat_from_2_to_2000_backends") {
    for (const uint32_t backends : {2U, 20U, 200U, 2000U}) {
        core::Random random(backends);
        Weights weights(backends);
        for (uint32_t& weight : weights) {
            weight = 1 + static_cast<uint32_t>(random.below(256));
        }
        RoundRobin turns(0);
        turns.reset(full_set_of(weights));
        const uint64_t before = turns.steps_total();
        uint64_t worst = 0;
        for (int i = 0; i < 20'000; ++i) {
            const uint64_t start = turns.steps_total();
            static_cast<void>(turns.pick());
            worst = std::max(worst, turns.steps_total() - start);
        }
        CAPTURE(backends);
        CHECK(worst <= static_cast<uint64_t>(std::log2(backends)) + 1);
        CHECK(turns.steps_total() > before);
    }
}

}  // namespace upstream
