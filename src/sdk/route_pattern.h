// Reads the patterns of routes: "/users/{id:int}/posts/{slug}", "/files/{path*}".
#pragma once

#include <trilith/app.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace trilith::sdk {

struct PatternSegment {
    enum class Kind : uint8_t { literal, parameter, rest };

    Kind kind = Kind::literal;
    std::string text;         // the literal, or the parameter's name
    bool is_integer = false;  // ":int" was written
};

// The segments between the slashes, in order; "/" is one empty literal. Refused: no slash in front, over 1024
// bytes or 64 segments or detail::kParametersMax parameters, literals that are not in their normal form
// (http::normalize_path), a brace that is not a whole segment's, a name that is not letters, digits and "_"
// or stands twice, a type that is not "int", a rest that is not last.
[[nodiscard]] core::Result<std::vector<PatternSegment>> read_pattern(std::string_view pattern);

}  // namespace trilith::sdk
