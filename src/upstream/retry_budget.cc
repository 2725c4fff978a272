// Counts requests and retries by the second over a sliding window.
#include "upstream/retry_budget.h"

#include "core/panic.h"

namespace upstream {

RetryBudget::RetryBudget(const RetryBudgetOptions& options) : options_(options) {
    ASSERT(options.percent <= 100);
}

void RetryBudget::set_options(const RetryBudgetOptions& options) {
    ASSERT(options.percent <= 100);
    options_ = options;
}

// Forgets the seconds that have left the window.
void RetryBudget::advance(core::Instant now) {
    const int64_t current = now.since_start / std::chrono::seconds(1);
    if (current == second_) [[likely]] {
        return;
    }
    ASSERT(current > second_);
    if (current - second_ >= static_cast<int64_t>(kWindowSeconds)) {
        seconds_ = {};
        requests_ = 0;
        retries_ = 0;
        second_ = current;
        return;
    }
    while (second_ < current) {
        ++second_;
        Second& oldest = seconds_[static_cast<size_t>(second_) % kWindowSeconds];
        requests_ -= oldest.requests;
        retries_ -= oldest.retries;
        oldest = {};
    }
}

void RetryBudget::count_request(core::Instant now) {
    advance(now);
    ++seconds_[static_cast<size_t>(second_) % kWindowSeconds].requests;
    ++requests_;
}

uint64_t RetryBudget::left(core::Instant now) {
    advance(now);
    const uint64_t allowed =
        requests_ * options_.percent / 100 + uint64_t{options_.floor_per_second} * kWindowSeconds;
    return allowed > retries_ ? allowed - retries_ : 0;
}

bool RetryBudget::take_retry(core::Instant now) {
    if (left(now) == 0) {
        return false;
    }
    ++seconds_[static_cast<size_t>(second_) % kWindowSeconds].retries;
    ++retries_;
    return true;
}

}  // namespace upstream
