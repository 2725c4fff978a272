// The generator repeats itself for one seed, differs for another, and stays within its bound.
#include "core/random.h"

#include <array>

#include <doctest/doctest.h>

namespace core {
namespace {

TEST_CASE("one seed gives one sequence, another seed another") {
    Random first(42);
    Random second(42);
    Random other(43);
    int differing = 0;
    for (int round = 0; round < 1000; ++round) {
        uint64_t value = first.next();
        CHECK(value == second.next());
        differing += value != other.next() ? 1 : 0;
    }
    CHECK(differing > 990);
}

TEST_CASE("below gives every value under the bound about equally often and none above") {
    Random random(0);
    std::array<int, 10> counts{};
    for (int round = 0; round < 100000; ++round) {
        uint64_t value = random.below(counts.size());
        REQUIRE(value < counts.size());
        ++counts[value];
    }
    for (int count : counts) {
        CHECK(count > 9500);
        CHECK(count < 10500);
    }
    CHECK(random.below(1) == 0);
}

}  // namespace
}  // namespace core
