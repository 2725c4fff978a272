// Patterns of file paths, as the rules of Cache-Control have them.
#pragma once

#include <string_view>

namespace web {

// Whether `pattern` fits the path ("/assets/app.css"): without a slash it is compared with the last segment,
// else with the whole path. "*" stands for any text, slashes included; every other byte for itself. At most
// length of pattern times length of path steps.
[[nodiscard]] bool matches_pattern(std::string_view pattern, std::string_view path);

}  // namespace web
