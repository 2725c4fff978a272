// base64url without padding (RFC 4648 section 5).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trilith::sdk {

[[nodiscard]] std::string encode_base64url(std::string_view bytes);

// Canonical text alone: one text for each run of bytes.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace trilith::sdk
