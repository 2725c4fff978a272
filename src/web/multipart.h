// The body of a 206 with several parts: multipart/byteranges (RFC 9110 section 14.6).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/random.h"
#include "http/local_answer.h"
#include "web/byte_range.h"

namespace web {

struct Multipart {
    std::span<const ByteRange> ranges;
    uint64_t size = 0;              // of the whole representation
    std::string_view content_type;  // of each part
    std::string_view boundary;
    http::BodyPart::Kind source = http::BodyPart::Kind::shared;  // where the bytes of the ranges are
};

// 32 hexadecimal digits. 128 random bits do not stand in a file by chance, and one who writes a file does not
// know them beforehand (RFC 2046 section 5.1.1).
[[nodiscard]] std::string make_boundary(core::Random& random);

// Writes the heads of the parts into answer.made_body and describes the whole body in answer.parts, both
// empty before. Returns its length in bytes.
uint64_t describe_multipart(const Multipart& multipart, http::LocalAnswer& answer);

}  // namespace web
