// Counters add up, and a histogram puts each value into the bucket whose bound it does not exceed.
#include "core/metrics.h"

#include <doctest/doctest.h>

namespace core {
namespace {

using namespace std::chrono_literals;

// The index of the one bucket that has a value; kBounds.size() + 1 when that is not so.
size_t only_bucket(const Histogram& histogram) {
    size_t found = Histogram::kBounds.size() + 1;
    uint64_t total = 0;
    for (size_t index = 0; index <= Histogram::kBounds.size(); ++index) {
        total += histogram.bucket(index);
        found = histogram.bucket(index) > 0 ? index : found;
    }
    return total == 1 ? found : Histogram::kBounds.size() + 1;
}

TEST_CASE("counters and gauges keep their sums") {
    Counter counter;
    counter.add();
    counter.add(41);
    CHECK(counter.value() == 42);
    Gauge gauge;
    gauge.add(3);
    gauge.add(-5);
    CHECK(gauge.value() == -2);
}

TEST_CASE("the bounds of a histogram ascend") {
    for (size_t index = 1; index < Histogram::kBounds.size(); ++index) {
        CHECK(Histogram::kBounds[index - 1] < Histogram::kBounds[index]);
    }
}

TEST_CASE("a value equal to a bound belongs to its bucket and one above to the next") {
    for (size_t index = 0; index < Histogram::kBounds.size(); ++index) {
        CAPTURE(index);
        Histogram at_bound;
        at_bound.record(Histogram::kBounds[index]);
        CHECK(only_bucket(at_bound) == index);
        Histogram above;
        above.record(Histogram::kBounds[index] + 1ns);
        CHECK(only_bucket(above) == index + 1);
    }
    Histogram zero;
    zero.record(0ns);
    CHECK(only_bucket(zero) == 0);
    Histogram endless;
    endless.record(24h);
    CHECK(only_bucket(endless) == Histogram::kBounds.size());
}

TEST_CASE("a histogram sums what it records") {
    Histogram histogram;
    histogram.record(1ms);
    histogram.record(2ms);
    histogram.record(30s);
    CHECK(histogram.sum_nanoseconds() == 30003000000);
    CHECK(histogram.bucket(2) == 1);
    CHECK(histogram.bucket(3) == 1);
    CHECK(histogram.bucket(Histogram::kBounds.size()) == 1);
}

}  // namespace
}  // namespace core
