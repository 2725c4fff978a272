// What all samples of a drill come to: counts, pauses, latencies. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "drill/sample.h"

namespace drill {

// The moments of a drill. All samples were due between `begun` and `ended`.
struct Moments {
    core::Instant begun;                               // the load
    core::Instant deed = core::Instant::never();       // never: it was not done
    core::Instant recovered = core::Instant::never();  // never: not while the drill lasted
    core::Instant ended;                               // the load
};

struct Latency {
    uint64_t count = 0;  // of good ones; 0: the others say nothing
    core::Duration p50{};
    core::Duration p99{};
};

struct KindTally {
    uint64_t total = 0;
    uint64_t failed = 0;  // no good answer, and none had begun; those that were cut are not among them
    uint64_t cut = 0;
    std::map<std::string, uint64_t> failures{};  // all of both, by what is said of them: "refused", "502"
    // Between two good ones, or between one and the begin or the end of the load.
    core::Duration longest_pause{};
    core::Duration pause_began{};  // since Moments::begun
    Latency before;                // of those that were due before the deed
    Latency during;                // from then to the recovery, or to the end where there was none
};

using Tally = std::array<KindTally, kKindCount>;

[[nodiscard]] inline const KindTally& of_kind(const Tally& tally, Kind kind) {
    return tally[static_cast<size_t>(kind)];
}

// `samples` in whatever order.
[[nodiscard]] Tally count_samples(std::span<const Sample> samples, const Moments& moments);

// How a failure is called: "refused", "no answer", "timed out", "cut", "502", "error 1290", "malformed".
[[nodiscard]] std::string failure_name(const Sample& sample);

}  // namespace drill
