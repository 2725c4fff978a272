// Which version this program is.
#pragma once

#include <string_view>

namespace node {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace node
