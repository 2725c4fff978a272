// Which media type the ending of a file's name stands for.
#pragma once

#include <string_view>

namespace web {

// Of an extension without its dot, in any case; empty where it is unknown. A static text without parameters.
[[nodiscard]] std::string_view find_mime_type(std::string_view extension);

}  // namespace web
