#include "balancer/response_piece.h"

#include <algorithm>

namespace balancer {

using http::FramingKind;

namespace {

constexpr size_t kCopiedPieceMax = 4 << 10;
constexpr size_t kTailRoom = 64;

}  // namespace

void wrap_piece(
    PieceWrapping& wrapping,
    FramingKind framing,
    const http::BodyReader& body,
    std::string_view data
) {
    wrapping.size = {};
    wrapping.tail = {};
    if (framing != FramingKind::chunked) {
        return;
    }
    if (!data.empty()) {
        wrapping.size = http::write_chunk_size(data.size(), wrapping.size_line);
        wrapping.tail = http::kChunkEnd;
    }
    if (!body.is_done()) {
        return;
    }
    if (body.trailers().empty()) {
        wrapping.tail = data.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n";
    } else {
        wrapping.long_tail = http::chunk_tail(body, data);
        wrapping.tail = wrapping.long_tail;
    }
}

PieceParts compose_piece(
    std::span<char> scratch,
    size_t head_size,
    std::string_view data,
    const PieceWrapping& wrapping
) {
    bool fits = data.size() <= kCopiedPieceMax && wrapping.tail.size() <= kTailRoom &&
                head_size + kCopiedPieceMax + 2 * kTailRoom <= scratch.size();
    if (!fits || head_size == 0) {
        return {std::string_view(scratch.data(), head_size), wrapping.size, data, wrapping.tail};
    }
    size_t size = head_size;
    for (std::string_view part : {wrapping.size, data, wrapping.tail}) {
        std::copy(part.begin(), part.end(), scratch.data() + size);
        size += part.size();
    }
    return {std::string_view(scratch.data(), size), {}, {}, {}};
}

size_t total_size(const PieceParts& parts) {
    size_t total = 0;
    for (std::string_view part : parts) {
        total += part.size();
    }
    return total;
}

}  // namespace balancer
