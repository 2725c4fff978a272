// The lag of a replica as what the primary had written at known moments gives it.
#include "sql/lag_meter.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using sql::LagMeter;

namespace {

mysql::GtidPosition position(std::string_view text) { return *mysql::GtidPosition::read(text); }

core::Instant at(core::Duration time) { return {time}; }

}  // namespace

TEST_CASE("a replica that has all that the primary had does not lag, however old the look is") {
    LagMeter meter;
    meter.note(position("0-1-10"), at(1s));
    CHECK(meter.lag(position("0-1-10"), at(9s)) == 0s);
    CHECK(meter.lag(position("0-2-11"), at(9s)) == 0s);
}

TEST_CASE("a replica lags since the last moment of which it has everything") {
    LagMeter meter;
    meter.note(position("0-1-10"), at(1s));
    meter.note(position("0-1-10"), at(2s));
    meter.note(position("0-1-20"), at(3s));
    meter.note(position("0-1-30"), at(4s));
    CHECK(meter.lag(position("0-1-30"), at(5s)) == 0s);
    CHECK(meter.lag(position("0-1-29"), at(5s)) == 2s);
    CHECK(meter.lag(position("0-1-15"), at(5s)) == 3s);
}

TEST_CASE("the lag of a replica that is behind all looks is not known") {
    LagMeter meter;
    CHECK(!meter.lag(position("0-1-10"), at(5s)));
    meter.note(position("0-1-10"), at(1s));
    CHECK(!meter.lag(position("0-1-9"), at(5s)));
    CHECK(!meter.lag(position(""), at(5s)));
    meter.clear();
    CHECK(!meter.lag(position("0-1-10"), at(5s)));
}

TEST_CASE("a replica must have each domain of the primary") {
    LagMeter meter;
    meter.note(position("0-1-10"), at(1s));
    meter.note(position("0-1-10,1-1-5"), at(2s));
    CHECK(meter.lag(position("0-1-10,1-1-5"), at(3s)) == 0s);
    CHECK(meter.lag(position("0-1-12,1-1-4"), at(3s)) == 2s);
}

TEST_CASE("looks are forgotten when there are too many") {
    LagMeter meter;
    for (int second = 1; second <= 3000; ++second) {
        meter.note(position("0-1-" + std::to_string(second)), at(std::chrono::seconds(second)));
    }
    CHECK(meter.lag(position("0-1-3000"), at(3000s)) == 0s);
    CHECK(meter.lag(position("0-1-2000"), at(3000s)) == 1000s);
    CHECK(!meter.lag(position("0-1-1000"), at(3000s)));
}
