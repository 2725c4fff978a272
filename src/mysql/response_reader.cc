// The walk over a server's packets. Rows and definitions take the short ways walk_rows() and begin_skip();
// every other packet is read when it lies there whole, in response_packets.cc.
#include "mysql/response_reader.h"

#include <algorithm>

#include "core/panic.h"

namespace mysql {
namespace {

constexpr uint8_t kDefinitionByte = 0x03;  // the length of "def", the only catalog there is

}  // namespace

std::optional<ResponseForm> response_form(Command command) {
    switch (command) {
        case Command::quit:
        case Command::statement_close:
        case Command::statement_send_long_data: return ResponseForm::none;
        case Command::query:
        case Command::statement_execute:
        case Command::statement_bulk_execute:
        case Command::process_info: return ResponseForm::results;
        case Command::statement_prepare: return ResponseForm::prepared;
        case Command::statement_fetch: return ResponseForm::rows;
        case Command::field_list: return ResponseForm::definitions;
        case Command::statistics: return ResponseForm::text;
        case Command::change_user: return ResponseForm::authentication;
        case Command::binlog_dump:
        case Command::binlog_dump_gtid:
        case Command::table_dump: return std::nullopt;
        default: return ResponseForm::one_ok;
    }
}

void ResponseReader::begin(const ResponseOptions& options) {
    ASSERT((options.capabilities & kUntranslatable) == 0);
    *this = ResponseReader();
    options_ = options;
    sequence_ = options.sequence;
    switch (options.form) {
        case ResponseForm::rows: state_ = State::rows; break;
        case ResponseForm::definitions: state_ = State::field_list; break;
        case ResponseForm::text: state_ = State::text; break;
        default: state_ = State::first; break;
    }
}

void ResponseReader::resume(uint8_t sequence) {
    ASSERT(state_ == State::paused || state_ == State::first);
    state_ = State::first;
    sequence_ = sequence;
}

void ResponseReader::skipped(uint32_t count) {
    ASSERT(count <= skip_);
    skip_ -= count;
}

ResponseStep ResponseReader::read(std::string_view bytes) {
    ASSERT(state_ != State::complete);
    ASSERT(state_ != State::failed);
    Cursor cursor{.bytes = bytes};
    if (options_.form == ResponseForm::none) {
        complete(cursor, ResponseEvent::done);
    }
    while (!cursor.is_stopped) {
        if (state_ == State::paused) {
            if (cursor.left() > 0) {
                fail(cursor, "the server sends a packet where the client is to answer");
            }
            break;
        }
        if (state_ == State::rows && skip_ == 0 && !is_continued_ && !is_definitions_end_due_) {
            walk_rows(cursor);
        }
        if (!skip_packet(cursor)) {
            break;
        }
    }
    cursor.step.consumed = cursor.at;
    return cursor.step;
}

// The way of most bytes: rows that are no more than a header to us. Leaves all else where it is.
void ResponseReader::walk_rows(Cursor& cursor) {
    const std::string_view bytes = cursor.bytes;
    size_t at = cursor.at;
    uint8_t sequence = sequence_;
    uint64_t rows = 0;
    while (bytes.size() - at > kPacketHeaderSize) {
        const uint32_t length = u24_at(bytes, at);
        const uint8_t first = byte_at(bytes, at + kPacketHeaderSize);
        if (byte_at(bytes, at + 3) != sequence || first >= kEofByte || length - 1 >= kPacketLengthMax - 1) {
            break;
        }
        ++sequence;
        ++rows;
        at += kPacketHeaderSize + length;
        if (at >= bytes.size()) {
            skip_ = static_cast<uint32_t>(at - bytes.size());
            at = bytes.size();
            break;
        }
    }
    cursor.at = at;
    sequence_ = sequence;
    row_count_ += rows;
    has_begun_ = has_begun_ || rows > 0;
}

// Passes what is there of the present packet, or reads the next one. False when more bytes are needed.
bool ResponseReader::skip_packet(Cursor& cursor) {
    if (skip_ > 0) {
        const size_t count = std::min<size_t>(skip_, cursor.left());
        skip_ -= static_cast<uint32_t>(count);
        cursor.at += count;
        if (skip_ > 0) {
            return false;
        }
        end_packet(cursor);
        return true;
    }
    if (cursor.left() < kPacketHeaderSize) {
        return false;
    }
    cursor.header = read_packet_header(cursor.bytes.substr(cursor.at));
    const bool is_known = cursor.header.length == 0 || cursor.left() > kPacketHeaderSize;
    if (!is_known) {
        return false;
    }
    cursor.first =
        cursor.header.length == 0 ? uint8_t{0} : byte_at(cursor.bytes, cursor.at + kPacketHeaderSize);
    // A server that gives up (a command too large, a session killed) may number its ERR as it likes.
    const bool is_last_word = state_ == State::first && cursor.first == kErrorByte;
    if (cursor.header.sequence != sequence_ && !is_last_word) {
        fail(cursor, "the server's packets are out of order");
        return false;
    }
    const size_t before = cursor.at;
    read_packet(cursor);
    return cursor.is_stopped || cursor.at != before;
}

void ResponseReader::read_packet(Cursor& cursor) {
    if (is_continued_) {
        begin_skip(cursor);
        return;
    }
    if (cursor.header.length == 0 && state_ != State::text) {
        fail(cursor, "the server sends an empty packet");
        return;
    }
    // 0xFF begins no row (it is no length), no definition and no count.
    if (cursor.first == kErrorByte) {
        read_error(cursor);
        return;
    }
    switch (state_) {
        case State::first: read_first(cursor); break;
        case State::parameters:
        case State::definitions: read_definition(cursor); break;
        case State::parameters_eof:
        case State::definitions_eof: read_definitions_eof(cursor); break;
        case State::rows: read_row(cursor); break;
        case State::field_list:
            if (cursor.first == kEofByte) {
                read_end(cursor);
            } else {
                read_definition(cursor);
            }
            break;
        case State::text: begin_skip(cursor); break;
        case State::paused:
        case State::complete:
        case State::failed: PANIC("a response goes on after its end");
    }
}

// Behind the parameters of a prepared statement, or where there are none.
void ResponseReader::begin_columns(Cursor& cursor) {
    if (columns_left_ > 0) {
        column_count_ = columns_left_;
        definitions_left_ = columns_left_;
        columns_left_ = 0;
        state_ = State::definitions;
        return;
    }
    const bool has_event = cursor.is_stopped;
    complete(cursor, has_event ? cursor.step.event : ResponseEvent::done);
}

void ResponseReader::read_definition(Cursor& cursor) {
    if (cursor.first != kDefinitionByte) {
        fail(cursor, "the server sends something else than a column definition");
        return;
    }
    begin_skip(cursor);
}

void ResponseReader::read_row(Cursor& cursor) {
    if (is_definitions_end_due_) {
        OkPacket ok;
        const std::string_view payload = cursor.bytes.substr(cursor.at + kPacketHeaderSize);
        if (cursor.first == kEofByte && cursor.header.length <= options_.whole_packet_max) {
            if (payload.size() < cursor.header.length) {
                return;
            }
            if (!read_ending(payload.substr(0, cursor.header.length), ok)) {
                fail(cursor, "the server's end of rows is malformed");
                return;
            }
        }
        is_definitions_end_due_ = false;
        if ((ok.status & kStatusCursorExists) == 0) {
            cursor.step.event = ResponseEvent::definitions_end;
            cursor.step.packet = cursor.at;
            cursor.is_stopped = true;
            return;
        }
    }
    // 0xFE begins a row, too: with a string of 2^24 bytes and more, which one packet cannot hold.
    if (cursor.first == kEofByte && cursor.header.length < kPacketLengthMax) {
        read_end(cursor);
        return;
    }
    ++row_count_;
    begin_skip(cursor);
}

// Takes the header; the payload passes unread.
void ResponseReader::begin_skip(Cursor& cursor) {
    ++sequence_;
    has_begun_ = true;
    cursor.at += kPacketHeaderSize;
    skip_ = cursor.header.length;
    is_continued_ = skip_ == kPacketLengthMax;
    if (skip_ == 0) {
        end_packet(cursor);
    }
}

// The last byte of a skipped packet has passed.
void ResponseReader::end_packet(Cursor& cursor) {
    if (is_continued_) {
        return;
    }
    if (state_ == State::text) {
        complete(cursor, ResponseEvent::done);
        return;
    }
    if (state_ != State::definitions && state_ != State::parameters) {
        return;
    }
    --definitions_left_;
    if (definitions_left_ == 0) {
        end_definitions(cursor);
    }
}

void ResponseReader::end_definitions(Cursor& cursor) {
    const bool is_of_parameters = state_ == State::parameters;
    if (!has(options_.capabilities, kDeprecateEof)) {
        state_ = is_of_parameters ? State::parameters_eof : State::definitions_eof;
        return;
    }
    const bool is_told = options_.stops == ResponseStops::boundaries;
    if (options_.form == ResponseForm::results) {
        state_ = State::rows;
        is_definitions_end_due_ = is_told;
        return;
    }
    if (is_told) {
        cursor.step.event = ResponseEvent::definitions_end;
        cursor.step.packet = cursor.at;
        cursor.is_stopped = true;
    }
    if (is_of_parameters) {
        begin_columns(cursor);
    } else {
        complete(cursor, is_told ? ResponseEvent::definitions_end : ResponseEvent::done);
    }
}

void ResponseReader::complete(Cursor& cursor, ResponseEvent event) {
    state_ = State::complete;
    cursor.step.event = event;
    cursor.step.is_complete = true;
    cursor.is_stopped = true;
    if (cursor.step.payload.empty()) {
        cursor.step.packet = cursor.at;
    }
}

// Takes the packet into the step, if all of it is there.
bool ResponseReader::take_whole(Cursor& cursor) {
    const uint32_t length = cursor.header.length;
    if (length > options_.whole_packet_max) {
        fail(cursor, "the server's OK, ERR or request is too large");
        return false;
    }
    if (cursor.left() < kPacketHeaderSize + length) {
        return false;
    }
    cursor.step.packet = cursor.at;
    cursor.step.payload = cursor.bytes.substr(cursor.at + kPacketHeaderSize, length);
    cursor.at += kPacketHeaderSize + length;
    ++sequence_;
    has_begun_ = true;
    return true;
}

void ResponseReader::fail(Cursor& cursor, std::string_view reason) {
    state_ = State::failed;
    cursor.step.event = ResponseEvent::failed;
    cursor.step.reason = reason;
    cursor.is_stopped = true;
}

}  // namespace mysql
