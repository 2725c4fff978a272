// What /* trilith:… */ asks for. Internal to this folder.
#pragma once

#include <string_view>

#include "sql/statement_class.h"

namespace sql {

// `words`: the comment's content behind "trilith:". Words that are not known, and a duration that is none,
// are ignored; of two that contradict each other the last one holds.
[[nodiscard]] Hint read_hint(std::string_view words);

}  // namespace sql
