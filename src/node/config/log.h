// Reads [log]: the files that a server's log is kept in.
#pragma once

#include <string_view>

#include "node/config/config.h"
#include "node/config/section.h"

namespace node {

// A relative directory begins at `base`, the absolute path of where the configuration file is.
void read_log(Section& section, std::string_view base, LogConfig& config);

}  // namespace node
