// Why a mariadbd could not run, and what can be done about it, from the last lines that it wrote. Pure.
#pragma once

#include <string>
#include <string_view>

#include "cluster/config.h"

namespace cluster {

// One sentence with the cause and the cure; empty where the lines are not known.
[[nodiscard]] std::string cure_of(std::string_view last_lines, const Place& place);

// A start that was to take back what was not acknowledged met a change of a table's definition in it, which
// cannot be taken back: such a mariadbd starts only with everything that it has, and has gone apart.
[[nodiscard]] bool cannot_take_back(std::string_view last_lines);

}  // namespace cluster
