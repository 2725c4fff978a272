// How soon a server that failed is looked at again.

#include "sql/look_pause.h"

#include <doctest/doctest.h>

namespace sql {

TEST_CASE("a node that failed is looked at soon until it is given up, and then ever less often") {
    core::Duration interval = std::chrono::milliseconds(500);
    CHECK(pause_after(0, 3, interval) == interval);
    CHECK(pause_after(1, 3, interval) == kLookGap);
    CHECK(pause_after(2, 3, interval) == kLookGap);
    CHECK(pause_after(3, 3, interval) == interval);
    CHECK(pause_after(4, 3, interval) == 2 * interval);
    CHECK(pause_after(1000, 3, interval) == kPauseMax);
    CHECK(pause_after(1, 1, interval) == interval);
}

TEST_CASE("no pause is shorter than a short interval, nor longer than a long one") {
    core::Duration brief = std::chrono::milliseconds(20);
    core::Duration seldom = std::chrono::seconds(20);
    CHECK(pause_after(1, 2, brief) == brief);
    CHECK(pause_after(1, 2, seldom) == kLookGap);
    CHECK(pause_after(9, 2, seldom) == seldom);
}

}  // namespace sql
