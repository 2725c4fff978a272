// Writes the chunked transfer coding (RFC 9112 section 7.1): a size line before each piece of data, an empty
// chunk at the end.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/body_reader.h"

namespace http {

inline constexpr std::string_view kChunkEnd = "\r\n";
// What follows the last piece of data: its own end, and the chunk that ends the body. Trailer lines stand
// before the final CRLF.
inline constexpr std::string_view kLastChunk = "0\r\n";

using ChunkSizeLine = std::array<char, 18>;

// "1a2b" CRLF. `size` > 0: an empty chunk would end the body.
[[nodiscard]] inline std::string_view write_chunk_size(uint64_t size, ChunkSizeLine& target) {
    char* end = std::to_chars(target.data(), target.data() + 16, size, 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    return {target.data(), end};
}

// What stands behind a piece of a chunked body: the end of its chunk, and of the body where that was its last
// piece.
[[nodiscard]] inline std::string chunk_tail(const BodyReader& body, std::string_view piece) {
    std::string tail(piece.empty() ? "" : kChunkEnd);
    if (body.is_done()) {
        tail += kLastChunk;
        tail += body.trailers();
        tail += "\r\n";
    }
    return tail;
}

}  // namespace http
