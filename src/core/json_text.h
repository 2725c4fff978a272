// Writes JSON strings. For the few places that write JSON without a document in memory: log lines and status
// texts.
#pragma once

#include <string>
#include <string_view>

namespace core {

// Appends `text` as a quoted JSON string (RFC 8259 section 7). Bytes that are not ASCII are passed through
// when they form valid UTF-8 and written as \u00XX otherwise, so the line is always valid JSON.
void append_json_string(std::string& target, std::string_view text);

}  // namespace core
