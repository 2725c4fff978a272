// The age of beats, by the clock of who wrote them.
#include "sql/heartbeat.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using sql::Heartbeat;

namespace {

// The number that the statement writes.
uint64_t write_beat(Heartbeat& heartbeat, core::Duration sent) {
    std::string text = heartbeat.next_text();
    heartbeat.on_written({sent});
    return std::stoull(text.substr(text.rfind(' ')));
}

}  // namespace

TEST_CASE("a beat is as old as its statement") {
    Heartbeat heartbeat(7);
    uint64_t first = write_beat(heartbeat, 1s);
    uint64_t second = write_beat(heartbeat, 2s);
    CHECK(first != second);
    CHECK(heartbeat.age(first, {5s}) == 4s);
    CHECK(heartbeat.age(second, {5s}) == 3s);
    CHECK(!heartbeat.age(second + 1, {5s}));
    CHECK(!heartbeat.age(0, {5s}));
}

TEST_CASE("a beat that failed, or of another router or primary, has no age") {
    Heartbeat heartbeat(7);
    std::string failed = heartbeat.next_text();
    uint64_t good = write_beat(heartbeat, 1s);
    CHECK(!heartbeat.age(good - 1, {5s}));
    Heartbeat other(8);
    CHECK(!heartbeat.age(write_beat(other, 1s), {5s}));
    heartbeat.clear();
    CHECK(!heartbeat.age(good, {5s}));
}

TEST_CASE("old beats are forgotten") {
    Heartbeat heartbeat(~uint64_t{0});
    uint64_t first = write_beat(heartbeat, 1s);
    uint64_t last = first;
    for (int count = 0; count < 2000; ++count) {
        last = write_beat(heartbeat, 2s);
    }
    CHECK(!heartbeat.age(first, {5s}));
    CHECK(heartbeat.age(last, {5s}) == 3s);
}
