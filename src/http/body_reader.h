// Takes a message's body off a connection piece by piece, whatever its framing: one place that knows where a
// body ends.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "http/chunked_reader.h"
#include "http/head.h"
#include "net/read_buffer.h"

namespace http {

// A piece of a body. `data` lies in the read buffer: use it, then consume(piece), before the task suspends
// with the buffer.
struct BodyPiece {
    std::string_view data;
    size_t consumed = 0;         // bytes of the buffer that this piece took, framing included
    std::string_view refused{};  // not empty: the framing is broken, the connection is lost
};

class BodyReader {
public:
    explicit BodyReader(Framing framing) : kind_(framing.kind), remaining_(framing.length) {
        is_done_ = kind_ == FramingKind::none || (kind_ == FramingKind::length && remaining_ == 0);
    }

    // The next bytes of the body among those in `buffer`; empty when none are there. Decodes chunks in place.
    [[nodiscard]] BodyPiece next(net::ReadBuffer& buffer) {
        if (is_done_ || buffer.is_empty()) {
            return {};
        }
        if (kind_ == FramingKind::chunked) {
            return next_chunked(buffer);
        }
        std::string_view bytes = buffer.bytes();
        if (kind_ == FramingKind::length) {
            bytes = bytes.substr(0, static_cast<size_t>(std::min<uint64_t>(bytes.size(), remaining_)));
            skip(bytes.size());
        }
        return {.data = bytes, .consumed = bytes.size()};
    }

    // `count` bytes of a body of known length went another way (splice).
    void skip(uint64_t count) {
        remaining_ -= count;
        is_done_ = remaining_ == 0;
    }

    // The stream has ended: true when that is a proper end of this body.
    [[nodiscard]] bool end_of_stream() {
        is_done_ = is_done_ || kind_ == FramingKind::until_close;
        return is_done_;
    }

    [[nodiscard]] bool is_done() const { return is_done_; }

    [[nodiscard]] FramingKind kind() const { return kind_; }

    // FramingKind::length: the bytes still to come.
    [[nodiscard]] uint64_t remaining() const { return remaining_; }

    // How many bytes are still to come at least, by what the framing has said so far: all of a body of known
    // length, the rest of the chunk that has begun.
    [[nodiscard]] uint64_t announced() const {
        return kind_ == FramingKind::chunked ? chunked_.chunk_remaining() : remaining_;
    }

    // After the end of a chunked body: the trailer lines to pass on, each with its CRLF; may be empty.
    [[nodiscard]] std::string_view trailers() const { return chunked_.trailers(); }

private:
    [[nodiscard]] BodyPiece next_chunked(net::ReadBuffer& buffer) {
        ChunkedResult result = chunked_.decode(buffer.mutable_bytes());
        is_done_ = result.state == ChunkedState::done;
        return {
            .data = {result.data.data(), result.data.size()},
            .consumed = result.consumed,
            .refused = result.state == ChunkedState::refused ? result.reason : std::string_view{},
        };
    }

    FramingKind kind_;
    bool is_done_ = false;
    uint64_t remaining_;
    ChunkedReader chunked_;
};

}  // namespace http
