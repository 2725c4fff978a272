// Decodes the chunked transfer coding (RFC 9112 section 7.1) in place, strictly: what is not exactly the
// grammar is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace http {

struct ChunkedLimits {
    uint32_t extension_max = 1 << 10;    // bytes of the extensions of one chunk
    uint32_t extensions_max = 16 << 10;  // bytes of all extensions of a body
    uint32_t trailer_max = 8 << 10;      // bytes of the trailer section
    uint32_t trailer_fields_max = 64;
};

enum class ChunkedState : uint8_t {
    more,     // every byte was consumed and the body goes on
    done,     // the body and its trailer section have ended; bytes behind `consumed` are the next message's
    refused,  // the framing is lost: the connection must be closed
};

struct ChunkedResult {
    ChunkedState state = ChunkedState::more;
    size_t consumed = 0;        // bytes of the span that belong to this body
    std::span<char> data{};     // decoded bytes, inside the span that was given; they lie where the first of
                                // them lay
    std::string_view reason{};  // refused: one static sentence
};

// One body. Sans-I/O; allocates only for a trailer section, at most ChunkedLimits::trailer_max twice.
class ChunkedReader {
public:
    explicit ChunkedReader(ChunkedLimits limits = {}) : limits_(limits) {}

    // Decodes the next bytes of the body, split anywhere. Overwrites the span only between the first decoded
    // byte and `consumed`. Must not be called again after done or refused.
    [[nodiscard]] ChunkedResult decode(std::span<char> bytes);

    // Ready for another body with the same limits.
    void reset();

    // After done: the valid trailer lines as received, each with its CRLF, without kForbiddenInTrailer and
    // underscored names; "" if there are none. Valid until reset().
    [[nodiscard]] std::string_view trailers() const { return trailers_; }

    // Bytes still expected of the chunk that has begun; 0 between chunks and until a chunk's size line has
    // ended, because what is no size may still follow. At most 2^62.
    [[nodiscard]] uint64_t chunk_remaining() const { return state_ == State::data ? remaining_ : 0; }

private:
    // size → [extension] → size_lf → data → data_cr → data_lf → size …; a size of 0 → trailer → … → done
    enum class State : uint8_t {
        size,
        extension,  // after ";": expects a name
        extension_name,
        extension_value,  // after "=": expects a token or a quoted string
        extension_token,
        quoted,
        quoted_escape,
        extension_end,  // after a closing quote: ";" or CR
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer,  // at the beginning of a trailer line or inside it
        done,
        refused,
    };

    struct Cursor;

    void read_size(Cursor& cursor);
    void read_extension(Cursor& cursor);
    void end_size_line(Cursor& cursor);
    void read_data(Cursor& cursor);
    void read_data_end(Cursor& cursor);
    void read_trailer(Cursor& cursor);
    void take_trailer_line(Cursor& cursor);
    void refuse(Cursor& cursor, std::string_view reason);

    ChunkedLimits limits_;
    State state_ = State::size;
    uint8_t size_digits_ = 0;
    uint64_t remaining_ = 0;
    uint32_t chunk_extension_bytes_ = 0;
    uint32_t extension_bytes_ = 0;
    uint32_t trailer_bytes_ = 0;
    uint32_t trailer_fields_ = 0;
    std::string trailer_line_;  // the unfinished line
    std::string trailers_;
};

}  // namespace http
