// Conditional requests (RFC 9110 section 13): whether a GET or HEAD of a file that is there goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "web/entity_tag.h"

namespace web {

// The values of the request's fields; none: the field is not there. Of the dates and If-Range one line may
// stand; a caller that meets two gives none.
struct Conditions {
    std::optional<std::string_view> if_match{};
    std::optional<std::string_view> if_unmodified_since{};
    std::optional<std::string_view> if_none_match{};
    std::optional<std::string_view> if_modified_since{};
    std::optional<std::string_view> if_range{};
};

// Of the representation that would be sent.
struct Validators {
    EntityTag tag{};
    int64_t modified = 0;  // seconds since the epoch, as Last-Modified tells it
};

enum class Precondition : uint8_t {
    proceed,
    not_modified,  // 304
    failed,        // 412
};

// By the precedence of section 13.2.2. Dates that are none are ignored (13.1.3, 13.1.4); a list of tags that
// is none matches nothing, so that If-Match fails and If-None-Match sends the file.
[[nodiscard]] Precondition check_preconditions(const Conditions& conditions, const Validators& validators);

// Whether a Range field is honoured (13.1.5): without If-Range, or where that names exactly this
// representation.
[[nodiscard]] bool is_range_wanted(const Conditions& conditions, const Validators& validators);

}  // namespace web
