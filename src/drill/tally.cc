#include "drill/tally.h"

#include <algorithm>
#include <format>
#include <vector>

namespace drill {

namespace {

// The value that `percent` of them do not exceed: that of nearest rank, which was measured.
core::Duration percentile(std::span<const core::Duration> sorted, size_t percent) {
    size_t rank = (sorted.size() * percent + 99) / 100;
    return sorted[std::max<size_t>(rank, 1) - 1];
}

Latency latency_of(std::vector<core::Duration> times) {
    if (times.empty()) {
        return {};
    }
    std::ranges::sort(times);
    return {.count = times.size(), .p50 = percentile(times, 50), .p99 = percentile(times, 99)};
}

void find_pause(std::vector<core::Instant> good, const Moments& moments, KindTally& tally) {
    std::ranges::sort(good);
    good.push_back(std::max(moments.ended, good.empty() ? moments.begun : good.back()));
    core::Instant last = moments.begun;
    for (core::Instant at : good) {
        if (at - last > tally.longest_pause) {
            tally.longest_pause = at - last;
            tally.pause_began = last - moments.begun;
        }
        last = std::max(last, at);
    }
}

KindTally count_kind(std::span<const Sample> samples, Kind kind, const Moments& moments) {
    KindTally tally;
    std::vector<core::Instant> good;
    std::vector<core::Duration> before;
    std::vector<core::Duration> during;
    for (const Sample& sample : samples) {
        if (sample.kind != kind) {
            continue;
        }
        ++tally.total;
        if (sample.outcome != Outcome::good) {
            ++(sample.outcome == Outcome::cut ? tally.cut : tally.failed);
            ++tally.failures[failure_name(sample)];
            continue;
        }
        good.push_back(sample.ended);
        if (sample.due < moments.deed) {
            before.push_back(sample.ended - sample.due);
        } else if (sample.due <= moments.recovered) {
            during.push_back(sample.ended - sample.due);
        }
    }
    if (tally.total > 0) {
        find_pause(std::move(good), moments, tally);
    }
    tally.before = latency_of(std::move(before));
    tally.during = latency_of(std::move(during));
    return tally;
}

}  // namespace

std::string failure_name(const Sample& sample) {
    switch (sample.outcome) {
        case Outcome::good: break;
        case Outcome::refused: return "refused";
        case Outcome::unanswered: return "no answer";
        case Outcome::timed_out: return "timed out";
        case Outcome::cut: return "cut";
        case Outcome::status: return std::to_string(sample.code);
        case Outcome::error: return std::format("error {}", sample.code);
        case Outcome::malformed: return "malformed";
    }
    return "good";
}

Tally count_samples(std::span<const Sample> samples, const Moments& moments) {
    Tally tally;
    for (size_t kind = 0; kind < kKindCount; ++kind) {
        tally[kind] = count_kind(samples, static_cast<Kind>(kind), moments);
    }
    return tally;
}

}  // namespace drill
