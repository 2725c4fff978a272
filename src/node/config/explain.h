// Prints a configuration as it works, with everything that was derived or left to its default: `trilith check
// --explain`.
#pragma once

#include <string>

#include "node/config/config.h"

namespace node {

// TOML with comments; read again, it gives the same Config. Values that are the default say so.
[[nodiscard]] std::string explain(const Config& config);

// The same as one JSON object, indented, with the keys of the configuration file; durations and sizes are
// texts with units.
[[nodiscard]] std::string explain_json(const Config& config);

}  // namespace node
