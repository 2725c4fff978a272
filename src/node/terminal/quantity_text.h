// How durations, rates and numbers of things stand in the table of the status.
#pragma once

#include <cstdint>
#include <format>
#include <string>
#include <string_view>

#include "core/units.h"

namespace node {

// "850us", "2.1ms", "1.2s".
[[nodiscard]] std::string latency_text(core::Duration duration);
// "12s", "5m 10s", "3d 4h": the two largest units.
[[nodiscard]] std::string span_text(core::Duration duration);
// Of a counter, a second.
[[nodiscard]] std::string rate_text(uint64_t now, uint64_t before, core::Duration between);
// The word for a number of things.
std::string counted(auto number, std::string_view thing) {
    return std::format("{} {}{}", number, thing, number == 1 ? "" : "s");
}

}  // namespace node
