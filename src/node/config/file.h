// Reads the configuration file: TOML text in, a checked and frozen Config out, or every problem with its
// place.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "node/config/config.h"
#include "node/config/error.h"

namespace node {

inline constexpr size_t kConfigFileBytesMax = 1 << 20;
inline constexpr std::string_view kDefaultFile = "trilith.toml";  // where the command line names none

// `text` is the whole file, `file_name` only names it in errors, and relative paths begin at
// `base_directory`, which is absolute. The Config holds every default and
// everything derived, and needs no further check. The errors are the first 20 by position, at least one; text
// that is not TOML gives exactly one.
[[nodiscard]] std::expected<Config, std::vector<ConfigError>> read_config(
    std::string_view text,
    std::string_view file_name,
    std::string_view base_directory = "/"
);

struct ConfigText {
    std::string text;  // one byte more than kConfigFileBytesMax at most
    FileOrigin origin;
};

// What lies at `path`.
[[nodiscard]] core::Result<ConfigText> read_config_text(const std::string& path);

// Reads the file at `path`, which may have up to kConfigFileBytesMax bytes. A file that cannot be read or is
// too large is an error of line 0.
[[nodiscard]] std::expected<Config, std::vector<ConfigError>> load_config(const std::string& path);

}  // namespace node
