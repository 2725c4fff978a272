// Renumbering in place, however the bytes are split.
#include "mysql/sequence_shift.h"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "mysql/test_bytes.h"

namespace mysql {
namespace {

TEST_CASE("every packet is renumbered and no other byte changes, at every split") {
    const std::string given = packet(254, "abcdefgh") + packet(255, "") + packet(0, std::string(300, '\4'));
    const std::string wanted = packet(0, "abcdefgh") + packet(1, "") + packet(2, std::string(300, '\4'));
    for (size_t step = 1; step <= given.size(); ++step) {
        std::string bytes = given;
        SequenceShift shift;
        shift.add(1);
        shift.add(1);
        for (size_t at = 0; at < bytes.size(); at += step) {
            shift.apply(std::span(bytes).subspan(at, std::min(step, bytes.size() - at)));
        }
        CAPTURE(step);
        CHECK(bytes == wanted);
    }
}

TEST_CASE("a packet left out lowers the numbers") {
    std::string bytes = packet(0, "x");
    SequenceShift shift;
    shift.add(255);
    shift.apply(bytes);
    CHECK(bytes == packet(255, "x"));
}

}  // namespace
}  // namespace mysql
