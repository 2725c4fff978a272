// Status codes and the phrases that go with them (RFC 9110 section 15, IANA registry).
#pragma once

#include <cstdint>
#include <string_view>

namespace http {

// "Not Found" for 404. For a code without an entry the phrase of its class ("Client Error"), "Unknown"
// outside 100 to 599.
[[nodiscard]] std::string_view reason_phrase(uint16_t status);

// Whether a response of this status never has a body, whatever its fields say (RFC 9112 section 6.3).
[[nodiscard]] inline bool is_bodiless(uint16_t status) {
    return status < 200 || status == 204 || status == 304;
}

}  // namespace http
