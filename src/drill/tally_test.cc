// Counts, pauses and latencies of samples.
#include "drill/tally.h"

#include <vector>

#include <doctest/doctest.h>

namespace drill {

namespace {

using namespace std::chrono_literals;

constexpr core::Instant at(core::Duration since) { return {since}; }

Sample sample(Kind kind, Outcome outcome, core::Duration due, core::Duration took = 1ms, uint16_t code = 0) {
    return {.kind = kind, .outcome = outcome, .code = code, .due = at(due), .ended = at(due + took)};
}

constexpr Moments kMoments{.begun = at(1s), .deed = at(2s), .recovered = at(4s), .ended = at(6s)};

}  // namespace

TEST_CASE("failures are counted by kind, and cut answers apart from the others") {
    std::vector<Sample> samples{
        sample(Kind::request, Outcome::good, 1s),
        sample(Kind::request, Outcome::refused, 1s),
        sample(Kind::request, Outcome::unanswered, 1s),
        sample(Kind::request, Outcome::timed_out, 1s),
        sample(Kind::request, Outcome::cut, 1s),
        sample(Kind::request, Outcome::status, 1s, 1ms, 502),
        sample(Kind::request, Outcome::status, 1s, 1ms, 502),
        sample(Kind::request, Outcome::malformed, 1s),
        sample(Kind::write, Outcome::error, 1s, 1ms, 1290),
    };
    Tally tally = count_samples(samples, kMoments);
    const KindTally& requests = of_kind(tally, Kind::request);
    CHECK(requests.total == 8);
    CHECK(requests.failed == 6);
    CHECK(requests.cut == 1);
    CHECK(
        requests.failures ==
        std::map<std::string, uint64_t>{
            {"refused", 1},
            {"no answer", 1},
            {"timed out", 1},
            {"cut", 1},
            {"502", 2},
            {"malformed", 1},
        }
    );
    CHECK(of_kind(tally, Kind::write).failures == std::map<std::string, uint64_t>{{"error 1290", 1}});
    CHECK(of_kind(tally, Kind::form).total == 0);
    CHECK(of_kind(tally, Kind::form).longest_pause == 0s);
}

TEST_CASE("a pause is the time without a good answer, in whatever order they are given") {
    std::vector<Sample> samples{
        sample(Kind::write, Outcome::good, 5s),
        sample(Kind::write, Outcome::good, 1500ms),
        sample(Kind::write, Outcome::error, 3s),  // fills no pause
        sample(Kind::write, Outcome::good, 2s, 500ms),
    };
    Tally tally = count_samples(samples, kMoments);
    CHECK(of_kind(tally, Kind::write).longest_pause == 2501ms);
    CHECK(of_kind(tally, Kind::write).pause_began == 1500ms);
}

TEST_CASE("a pause may be that before the first or behind the last good answer, or all of the load") {
    std::vector<Sample> late{sample(Kind::read, Outcome::good, 5s, 0ms)};
    CHECK(of_kind(count_samples(late, kMoments), Kind::read).longest_pause == 4s);
    std::vector<Sample> early{sample(Kind::read, Outcome::good, 1s, 1s)};
    CHECK(of_kind(count_samples(early, kMoments), Kind::read).longest_pause == 4s);
    std::vector<Sample> none{sample(Kind::read, Outcome::refused, 1s)};
    CHECK(of_kind(count_samples(none, kMoments), Kind::read).longest_pause == 5s);
}

TEST_CASE(
    "latencies are of good answers, by when they were due: before the deed, and from then to the recovery"
) {
    std::vector<Sample> samples;
    for (int number = 1; number <= 100; ++number) {
        samples.push_back(sample(Kind::request, Outcome::good, 1s, number * 1ms));
        samples.push_back(sample(Kind::request, Outcome::good, 3s, number * 10ms));
    }
    samples.push_back(sample(Kind::request, Outcome::status, 3s, 9s, 503));  // not good
    samples.push_back(sample(Kind::request, Outcome::good, 5s, 7s));         // after the recovery
    const KindTally requests = of_kind(count_samples(samples, kMoments), Kind::request);
    CHECK(requests.before.count == 100);
    CHECK(requests.before.p50 == 50ms);
    CHECK(requests.before.p99 == 99ms);
    CHECK(requests.during.count == 100);
    CHECK(requests.during.p50 == 500ms);
    CHECK(requests.during.p99 == 990ms);
}

TEST_CASE("without a recovery all after the deed is during; without a deed all is before") {
    std::vector<Sample> samples{
        sample(Kind::request, Outcome::good, 1s),
        sample(Kind::request, Outcome::good, 5s),
    };
    Moments moments{.begun = at(1s), .deed = at(2s), .ended = at(6s)};
    CHECK(of_kind(count_samples(samples, moments), Kind::request).during.count == 1);
    moments.deed = core::Instant::never();
    CHECK(of_kind(count_samples(samples, moments), Kind::request).before.count == 2);
}

TEST_CASE("one value is its own percentiles") {
    std::vector<Sample> samples{sample(Kind::request, Outcome::good, 1s, 7ms)};
    const Latency before = of_kind(count_samples(samples, kMoments), Kind::request).before;
    CHECK(before.p50 == 7ms);
    CHECK(before.p99 == 7ms);
}

}  // namespace drill
