// UTF-8 (RFC 3629): where a text is that, and where not.
#pragma once

#include <cstddef>
#include <string_view>

namespace core {

// Bytes of the character that `text`, which is not empty, begins with: 1 to 4; 0: it begins with none. What
// is written longer than need be, a half of a surrogate pair and what is above U+10FFFF are none.
[[nodiscard]] size_t utf8_sequence_length(std::string_view text);

// All of it is UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace core
