// Paths of files in the configuration: relative ones begin where the configuration file is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"

namespace node {

inline constexpr size_t kPathBytesMax = 4095;  // what the system takes (PATH_MAX, which counts a NUL)

// `text` as an absolute path: itself, or below `base`, which is absolute. Without "./" before it and slashes
// behind it; ".." stays, for what it means depends on links.
[[nodiscard]] std::string path_from(std::string_view base, std::string_view text);

// The absolute path of the directory in which `file` is. Fails where the current one cannot be told.
[[nodiscard]] core::Result<std::string> directory_of(std::string_view file);

// `file` itself as an absolute path; as it is where the current directory cannot be told.
[[nodiscard]] std::string absolute_path(std::string_view file);

}  // namespace node
