// Status codes and the phrases that go with them (RFC 9110 section 15, IANA registry).
#pragma once

#include <cstdint>
#include <string_view>

namespace http {

// "Not Found" for 404. For a code without an entry the phrase of its class ("Client Error"), "Unknown"
// outside 100 to 599.
[[nodiscard]] std::string_view reason_phrase(uint16_t status);

}  // namespace http
