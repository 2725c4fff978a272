// Cookies that a visitor can read and not change: VALUE.EXPIRY.MAC, where VALUE and MAC are base64url, EXPIRY
// decimal seconds of the Unix epoch, and MAC the HMAC-SHA256 (RFC 2104) of the cookie's name, expiry and
// value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace trilith::sdk {

class CookieSigner {
public:
    static constexpr size_t kKeyBytesMin = 32;
    static constexpr size_t kKeysMax = 8;

    CookieSigner() = default;  // signs nothing, accepts nothing

    // The first key signs, all verify. Refuses a short key and more than kKeysMax.
    [[nodiscard]] static core::Result<CookieSigner> make(std::vector<std::string> keys);

    [[nodiscard]] bool has_keys() const { return !keys_.empty(); }

    // The signed value, for a cookie of this name alone. There must be a key (asserted).
    [[nodiscard]] std::string sign(std::string_view name, std::string_view value, int64_t expires) const;

    // The value that was signed; nullopt for any other text, another name, or after `expires`. Takes as long
    // for a wrong MAC as for a right one.
    [[nodiscard]] std::optional<std::string> verify(std::string_view name, std::string_view text, int64_t now)
        const;

private:
    std::vector<std::string> keys_;
};

}  // namespace trilith::sdk
