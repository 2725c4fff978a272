// Dates of HTTP fields (RFC 9110 section 5.6.7), in whole seconds since the Unix epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace http {

inline constexpr size_t kHttpDateSize = 29;

// "Sun, 06 Nov 1994 08:49:37 GMT", and the two obsolete forms that a recipient must take: of RFC 850 and of
// asctime(). The day's name must be one, and is not compared with the date. A year of two digits is 1970 to
// 2069 (the fifty years of the RFC need a clock; the difference begins where no file's date lies). None: it
// is no date.
[[nodiscard]] std::optional<int64_t> parse_http_date(std::string_view text);

// IMF-fixdate. What lies outside the years 1 to 9999 is written as the nearest date that does not.
[[nodiscard]] std::string format_http_date(int64_t seconds);

}  // namespace http
