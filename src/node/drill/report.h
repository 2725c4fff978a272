// What a drill found, for people and as JSON. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "node/drill/plan.h"
#include "node/drill/run.h"

namespace node {

// Several lines: what was done, what clients and the database saw, what was judged.
[[nodiscard]] std::string drill_text(const DrillReport& report);

// One line a drill, and below it each objective that was not met.
[[nodiscard]] std::string drills_table(std::span<const DrillReport> reports);

// What `trilith drill list` prints.
[[nodiscard]] std::string drill_list_text(std::span<const DrillEntry> entries);

// {"drills":[{…}, …],"passed":true}
[[nodiscard]] std::string drills_json(std::span<const DrillReport> reports);
[[nodiscard]] std::string drill_list_json(std::span<const DrillEntry> entries);

}  // namespace node
