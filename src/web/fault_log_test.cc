// Faults are told once a minute a kind, and what was not told is counted.
#include "web/fault_log.h"

#include <algorithm>
#include <cerrno>
#include <string>

#include <doctest/doctest.h>

namespace web {
namespace {

TEST_CASE("a fault is told once a minute, with the number of those that were not") {
    std::string text;
    core::Log log([] { return core::WallTime{}; }, [&](std::string_view line) { text += line; });
    FaultLog faults(log);
    const core::Instant start{std::chrono::seconds(5)};
    for (int i = 0; i < 100; ++i) {
        faults.report(Fault::failed, "a/b.html", EIO, start + std::chrono::milliseconds(i));
    }
    CHECK(std::ranges::count(text, '\n') == 1);
    CHECK(text.contains("error web: file cannot be read"));
    CHECK(text.contains("path=a/b.html"));
    CHECK(text.contains("untold=0"));

    faults.report(Fault::outside, "x", 0, start);
    CHECK(std::ranges::count(text, '\n') == 2);
    CHECK(text.contains("warn web: link leads out of the root"));

    faults.report(Fault::failed, "c", EIO, start + std::chrono::minutes(1));
    CHECK(std::ranges::count(text, '\n') == 3);
    CHECK(text.contains("untold=99"));
}

}  // namespace
}  // namespace web
