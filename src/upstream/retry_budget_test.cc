// The retry budget: how many retries a window of requests allows, exactly.
#include "upstream/retry_budget.h"

#include <algorithm>

#include <doctest/doctest.h>

namespace upstream {

namespace {

using namespace std::chrono_literals;

constexpr core::Instant at(core::Duration since_start) { return {since_start}; }

void count_requests(RetryBudget& budget, core::Instant now, int requests) {
    for (int i = 0; i < requests; ++i) {
        budget.count_request(now);
    }
}

int take_all(RetryBudget& budget, core::Instant now) {
    int taken = 0;
    while (budget.take_retry(now)) {
        ++taken;
    }
    return taken;
}

}  // namespace

TEST_CASE("the_floor_is_there_before_any_request_and_no_more") {
    RetryBudget budget({.percent = 20, .floor_per_second = 10});
    CHECK(take_all(budget, at(0s)) == 100);
    CHECK(budget.left(at(0s)) == 0);
}

TEST_CASE("retries_are_a_share_of_the_requests") {
    RetryBudget budget({.percent = 20, .floor_per_second = 0});
    CHECK(!budget.take_retry(at(0s)));
    count_requests(budget, at(0s), 4);
    CHECK(budget.left(at(0s)) == 0);
    count_requests(budget, at(0s), 1);
    CHECK(take_all(budget, at(0s)) == 1);
    count_requests(budget, at(1s), 500);
    CHECK(take_all(budget, at(2s)) == 100);
}

TEST_CASE("a_killed_backend_with_many_running_requests_is_within_the_budget") {
    RetryBudget budget({.percent = 20, .floor_per_second = 10});
    count_requests(budget, at(1s), 5000);
    for (int i = 0; i < 1000; ++i) {
        REQUIRE(budget.take_retry(at(1s)));
    }
}

TEST_CASE("requests_and_retries_are_forgotten_when_their_second_leaves_the_window") {
    RetryBudget budget({.percent = 10, .floor_per_second = 1});
    count_requests(budget, at(500ms), 100);  // allow 10, and the floor 10
    CHECK(take_all(budget, at(3s)) == 20);
    CHECK(budget.left(at(9999ms)) == 0);
    // The requests of second 0 are gone, and the 20 retries of second 3 weigh on the floor alone.
    CHECK(budget.left(at(10s)) == 0);
    CHECK(budget.left(at(12999ms)) == 0);
    CHECK(budget.left(at(13s)) == 10);
}

TEST_CASE("steady_traffic_has_the_same_budget_in_every_round_of_the_window") {
    RetryBudget budget({.percent = 10, .floor_per_second = 0});
    for (int second = 0; second < 100; ++second) {
        count_requests(budget, at(second * 1s), 50);
        REQUIRE(
            budget.left(at(second * 1s)) == 5 * std::min<uint64_t>(static_cast<uint64_t>(second) + 1, 10)
        );
    }
}

TEST_CASE("a_long_silence_forgets_everything") {
    RetryBudget budget({.percent = 50, .floor_per_second = 2});
    count_requests(budget, at(5s), 1000);
    CHECK(take_all(budget, at(6s)) == 520);
    CHECK(budget.left(at(16s)) == 20);
    CHECK(budget.left(at(1000000s)) == 20);
    count_requests(budget, at(1000000s), 10);
    CHECK(budget.left(at(1000009s)) == 25);
    CHECK(budget.left(at(1000010s)) == 20);
}

TEST_CASE("a_budget_of_nothing_allows_nothing") {
    RetryBudget budget({.percent = 0, .floor_per_second = 0});
    count_requests(budget, at(0s), 10000);
    CHECK(!budget.take_retry(at(0s)));
}

TEST_CASE("new_options_apply_to_what_was_counted") {
    RetryBudget budget({.percent = 20, .floor_per_second = 0});
    count_requests(budget, at(0s), 100);
    CHECK(take_all(budget, at(0s)) == 20);
    budget.set_options({.percent = 30, .floor_per_second = 0});
    CHECK(budget.left(at(0s)) == 10);
    budget.set_options({.percent = 10, .floor_per_second = 0});
    CHECK(budget.left(at(0s)) == 0);
}

}  // namespace upstream
