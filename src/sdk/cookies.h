// Cookies as they stand in header fields (RFC 6265): Cookie is read, Set-Cookie is written.
#pragma once

#include <trilith/app.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace trilith::sdk {

// The value of the first cookie of the name in a Cookie field's value, without quotes around it. Pieces that
// are no cookie are passed over (section 5.4 leaves a server free).
[[nodiscard]] std::optional<std::string_view> find_cookie(std::string_view field, std::string_view name);

// The value of a Set-Cookie field. Refuses what section 4.1.1 does not allow, and a cookie over 4096 bytes,
// which browsers drop (section 6.1).
[[nodiscard]] core::Result<std::string> write_set_cookie(const Cookie& cookie);

}  // namespace trilith::sdk
