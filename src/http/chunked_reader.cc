// The state machine of the chunked transfer coding: bytes one by one in size lines, runs of bytes in data and
// trailer lines.
#include "http/chunked_reader.h"

#include <algorithm>
#include <cstring>

#include "core/panic.h"
#include "http/field_section.h"
#include "http/text.h"

namespace http {
namespace {

constexpr uint8_t kSizeDigitsMax = 16;
constexpr uint64_t kChunkMax = uint64_t{1} << 62;

}  // namespace

// The span of one call: what is read and where decoded bytes go.
struct ChunkedReader::Cursor {
    std::span<char> bytes;
    size_t at = 0;
    size_t data_begin = 0;  // decoded bytes lie from here
    size_t data_end = 0;    // to here; equal until the first one is found
    std::string_view reason{};

    [[nodiscard]] bool is_at_end() const { return at == bytes.size(); }

    [[nodiscard]] char next() const { return bytes[at]; }
};

ChunkedResult ChunkedReader::decode(std::span<char> bytes) {
    ASSERT(state_ != State::done);
    ASSERT(state_ != State::refused);
    Cursor cursor{.bytes = bytes};
    while (!cursor.is_at_end() && state_ != State::done && state_ != State::refused) {
        switch (state_) {
            case State::size: read_size(cursor); break;
            case State::extension:
            case State::extension_name:
            case State::extension_value:
            case State::extension_token:
            case State::quoted:
            case State::quoted_escape:
            case State::extension_end: read_extension(cursor); break;
            case State::size_lf: end_size_line(cursor); break;
            case State::data: read_data(cursor); break;
            case State::data_cr:
            case State::data_lf: read_data_end(cursor); break;
            case State::trailer: read_trailer(cursor); break;
            case State::done:
            case State::refused: PANIC("a chunked body goes on after its end");
        }
    }
    ChunkedResult result{.consumed = cursor.at, .reason = cursor.reason};
    result.data = bytes.subspan(cursor.data_begin, cursor.data_end - cursor.data_begin);
    result.state = state_ == State::done      ? ChunkedState::done
                   : state_ == State::refused ? ChunkedState::refused
                                              : ChunkedState::more;
    return result;
}

void ChunkedReader::reset() {
    state_ = State::size;
    size_digits_ = 0;
    remaining_ = 0;
    chunk_extension_bytes_ = 0;
    extension_bytes_ = 0;
    trailer_bytes_ = 0;
    trailer_fields_ = 0;
    trailer_line_.clear();
    trailers_.clear();
}

void ChunkedReader::refuse(Cursor& cursor, std::string_view reason) {
    state_ = State::refused;
    cursor.reason = reason;
}

void ChunkedReader::read_size(Cursor& cursor) {
    while (!cursor.is_at_end()) {
        const char byte = cursor.next();
        const uint8_t digit = hex_value(byte);
        if (digit > 15) {
            if (size_digits_ == 0 || (byte != ';' && byte != '\r')) {
                refuse(cursor, "chunk size is not a hexadecimal number");
                return;
            }
            chunk_extension_bytes_ = 0;
            state_ = byte == '\r' ? State::size_lf : State::extension;
            ++cursor.at;
            return;
        }
        if (size_digits_ == kSizeDigitsMax || remaining_ > (kChunkMax - digit) / 16) {
            refuse(cursor, "chunk size too large");
            return;
        }
        remaining_ = remaining_ * 16 + digit;
        ++size_digits_;
        ++cursor.at;
    }
}

// RFC 9112 section 7.1.1, without the "bad" white space it mentions: ;name, ;name=token, ;name="quoted".
void ChunkedReader::read_extension(Cursor& cursor) {
    ++chunk_extension_bytes_;
    ++extension_bytes_;
    if (chunk_extension_bytes_ > limits_.extension_max || extension_bytes_ > limits_.extensions_max) {
        refuse(cursor, "chunk extensions too long");
        return;
    }
    const char byte = cursor.next();
    const bool is_token = is_of(byte, kTokenByte);
    const bool may_end =
        state_ == State::extension_name || state_ == State::extension_token || state_ == State::extension_end;
    if (state_ == State::quoted && is_of(byte, kValueByte)) {
        state_ = byte == '"' ? State::extension_end : byte == '\\' ? State::quoted_escape : State::quoted;
    } else if (state_ == State::quoted_escape && is_of(byte, kValueByte)) {
        state_ = State::quoted;
    } else if ((state_ == State::extension || state_ == State::extension_name) && is_token) {
        state_ = State::extension_name;
    } else if ((state_ == State::extension_value || state_ == State::extension_token) && is_token) {
        state_ = State::extension_token;
    } else if (state_ == State::extension_name && byte == '=') {
        state_ = State::extension_value;
    } else if (state_ == State::extension_value && byte == '"') {
        state_ = State::quoted;
    } else if (may_end && byte == ';') {
        state_ = State::extension;
    } else if (may_end && byte == '\r') {
        state_ = State::size_lf;
    } else {
        refuse(cursor, "malformed chunk extension");
        return;
    }
    ++cursor.at;
}

void ChunkedReader::end_size_line(Cursor& cursor) {
    if (cursor.next() != '\n') {
        refuse(cursor, "carriage return without line feed");
        return;
    }
    ++cursor.at;
    size_digits_ = 0;
    state_ = remaining_ == 0 ? State::trailer : State::data;
}

void ChunkedReader::read_data(Cursor& cursor) {
    const uint64_t available = cursor.bytes.size() - cursor.at;
    const auto count = static_cast<size_t>(std::min(remaining_, available));
    if (cursor.data_begin == cursor.data_end) {
        cursor.data_begin = cursor.at;
        cursor.data_end = cursor.at;
    } else {
        const std::span<char> source = cursor.bytes.subspan(cursor.at, count);
        std::memmove(cursor.bytes.subspan(cursor.data_end, count).data(), source.data(), count);
    }
    cursor.data_end += count;
    cursor.at += count;
    remaining_ -= count;
    if (remaining_ == 0) {
        state_ = State::data_cr;
    }
}

void ChunkedReader::read_data_end(Cursor& cursor) {
    if (cursor.next() != (state_ == State::data_cr ? '\r' : '\n')) {
        refuse(cursor, "chunk data is not followed by CRLF");
        return;
    }
    ++cursor.at;
    state_ = state_ == State::data_cr ? State::data_lf : State::size;
}

void ChunkedReader::read_trailer(Cursor& cursor) {
    const std::span<char> rest = cursor.bytes.subspan(cursor.at);
    const auto feed = std::ranges::find(rest, '\n');
    const auto count = static_cast<size_t>(feed - rest.begin()) + (feed == rest.end() ? 0 : 1);
    if (count > limits_.trailer_max - trailer_bytes_) {
        refuse(cursor, "trailer section too large");
        return;
    }
    trailer_bytes_ += static_cast<uint32_t>(count);
    trailer_line_.append(rest.data(), count);
    cursor.at += count;
    if (feed != rest.end()) {
        take_trailer_line(cursor);
    }
}

void ChunkedReader::take_trailer_line(Cursor& cursor) {
    if (trailer_line_ == "\r\n") {
        state_ = State::done;
        return;
    }
    Field field;
    std::string_view reason;
    const HeadOutcome outcome = read_field_line(trailer_line_, 0, field, reason);
    if (outcome == HeadOutcome::refused) {
        refuse(cursor, reason);
        return;
    }
    ASSERT(outcome == HeadOutcome::complete);  // a line feed ends the line, or is refused
    ++trailer_fields_;
    if (trailer_fields_ > limits_.trailer_fields_max) {
        refuse(cursor, "too many trailer fields");
        return;
    }
    if (!kForbiddenInTrailer.has(field.id) && field.fate == FieldFate::pass) {
        trailers_ += trailer_line_;
    }
    trailer_line_.clear();
}

}  // namespace http
