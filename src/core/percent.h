// Percent-encoding (RFC 3986 section 2.1), undone once and in place of nothing: into memory of the caller's.
#pragma once

#include <cstdint>
#include <string_view>

namespace core {

enum class Plus : uint8_t { plus, space };

// Writes `text` with its escapes decoded to `target`, which has room for text.size() bytes, and returns the
// end of what was written. What is no escape stays as it is ("%", "%zz"), as the WHATWG URL Standard has it.
[[nodiscard]] char* decode_percent(std::string_view text, Plus plus, char* target);

}  // namespace core
