// How many retries a core may make: a share of its recent requests, and a few a second in any case.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/units.h"

namespace upstream {

struct RetryBudgetOptions {
    uint32_t percent = 20;           // retries per hundred requests of the window; 0 to 100
    uint32_t floor_per_second = 10;  // retries that are allowed whatever the traffic; times the window's 10
                                     // seconds
};

// Keeps a failing site from being finished off by retries, and lets the requests that were running on a
// killed backend move at once. One a core. Within any window of the current and the nine previous whole
// seconds of the clock:
//     retries <= requests * percent / 100 + floor_per_second * 10
// `now` must not go backwards. Both calls are O(1) (a jump of time costs at most ten steps).
class RetryBudget {
public:
    static constexpr size_t kWindowSeconds = 10;

    explicit RetryBudget(const RetryBudgetOptions& options);

    // Counts a request of a client, once, however often it is retried.
    void count_request(core::Instant now);

    // True: a retry is allowed and is counted. False: answer 502 or 504 instead.
    [[nodiscard]] bool take_retry(core::Instant now);

    // How many retries the window still allows.
    [[nodiscard]] uint64_t left(core::Instant now);

    // After a reload. What was counted stays.
    void set_options(const RetryBudgetOptions& options);

private:
    struct Second {
        uint64_t requests = 0;
        uint64_t retries = 0;
    };

    void advance(core::Instant now);

    RetryBudgetOptions options_;
    std::array<Second, kWindowSeconds> seconds_{};
    int64_t second_ = 0;     // the newest, counted from the clock's start
    uint64_t requests_ = 0;  // sums over the window
    uint64_t retries_ = 0;
};

}  // namespace upstream
