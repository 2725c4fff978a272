// Bytes as hexadecimal digits.
#include "core/hex.h"

#include <array>

#include <doctest/doctest.h>

namespace core {

TEST_CASE("each byte has two digits") {
    CHECK(to_hex({}).empty());
    CHECK(
        to_hex(std::array{std::byte{0x00}, std::byte{0x0f}, std::byte{0xa0}, std::byte{0xff}}) == "000fa0ff"
    );
}

}  // namespace core
