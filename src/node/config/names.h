// Names in the configuration: which are allowed, and which known one a misspelt one was meant to be.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace node {

inline constexpr size_t kSiteBytesMax = 100;  // of a site's name

// 1 to `bytes_max` of A-Z a-z 0-9 . _ - and of `further`, beginning with a letter, a digit or one of
// `further`: a name that is safe as a file name when `further` is empty.
[[nodiscard]] bool is_name(std::string_view text, size_t bytes_max, std::string_view further = "");

// The one of `known` with the fewest edits (insertion, deletion, replacement, swap of neighbours) from
// `name`, if that is at most a third of the longer one's length, rounded up; the first of several; "" when
// none is near.
[[nodiscard]] std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known);

// What follows a wrong name in a message: `; did you mean "interval"?`, or when none is near `; LABEL: a, b,
// c` (the first 20), or
// "" when nothing is known.
[[nodiscard]] std::string suggestion(
    std::string_view name,
    std::span<const std::string_view> known,
    std::string_view label
);

}  // namespace node
