// A line of the log as people read it.
#pragma once

#include <string>
#include <string_view>

#include "node/terminal/text_table.h"

namespace node {

// "TIME SERVER TIER EVENT key=value…", or of an access log "TIME SERVER TIER GET HOST/PATH 200 …", with its
// newline; what is no JSON comes back as it is. Control characters are replaced: neither a visitor nor a
// program can steer the terminal.
[[nodiscard]] std::string log_text(std::string_view line, Colour colour);

// A line of core::Log with the server's name behind its time, for where lines of several servers stand
// together; without a name, as it is.
[[nodiscard]] std::string named_line(std::string_view line, std::string_view server);

}  // namespace node
