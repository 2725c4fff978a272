// How a piece of a response goes out: behind the head where it is the first, inside a chunk where the
// client's framing wants it.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "http/body_reader.h"
#include "http/chunked_writer.h"

namespace balancer {

// What is sent around a piece of the body. The views point into the object itself or to literals.
struct PieceWrapping {
    http::ChunkSizeLine size_line{};
    std::string_view size;
    std::string_view tail;
    std::string long_tail;  // only where there are trailers
};

// Fills `wrapping` for `data`, a piece of `body` sent with `framing`; the last piece ends the body too.
// `data` may be empty.
void wrap_piece(
    PieceWrapping& wrapping,
    http::FramingKind framing,
    const http::BodyReader& body,
    std::string_view data
);

// What is sent, in order; empty parts count for nothing.
using PieceParts = std::array<std::string_view, 4>;

// The head (the first `head_size` bytes of `scratch`; 0 behind the first piece) and one piece of the body. A
// small piece is copied behind the head, so that one plain send takes both.
[[nodiscard]] PieceParts compose_piece(
    std::span<char> scratch,
    size_t head_size,
    std::string_view data,
    const PieceWrapping& wrapping
);

[[nodiscard]] size_t total_size(const PieceParts& parts);

}  // namespace balancer
