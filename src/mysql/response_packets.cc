// The packets of a response that are read: what they tell, and what may follow them.
#include "core/panic.h"
#include "mysql/response_reader.h"

namespace mysql {
namespace {

// The first bytes of packets that are not rows.
constexpr uint8_t kFileByte = 0xFB;
constexpr uint8_t kMoreByte = 0x01;

constexpr size_t kPreparedSize = 12;
constexpr size_t kOkSizeMin = 7;

}  // namespace

void ResponseReader::read_first(Cursor& cursor) {
    if (options_.form == ResponseForm::authentication) {
        read_authentication(cursor);
    } else if (cursor.first == kOkByte && options_.form == ResponseForm::prepared) {
        read_prepared(cursor);
    } else if (cursor.first == kOkByte ||
               (cursor.first == kEofByte && options_.form != ResponseForm::prepared)) {
        read_end(cursor);
    } else if (options_.form == ResponseForm::results && cursor.first == kFileByte) {
        pause(cursor, ResponseEvent::file_request);
    } else if (options_.form == ResponseForm::results) {
        read_count(cursor);
    } else {
        fail(cursor, "the server's response begins with an unknown packet");
    }
}

void ResponseReader::read_authentication(Cursor& cursor) {
    if (cursor.first == kOkByte) {
        read_end(cursor);
    } else if (cursor.first == kEofByte) {
        pause(cursor, ResponseEvent::auth_switch);
    } else if (cursor.first != kMoreByte) {
        fail(cursor, "the server's response to the login begins with an unknown packet");
    } else if (take_whole(cursor)) {
        cursor.step.event = ResponseEvent::auth_more;
        cursor.is_stopped = true;
    }
}

void ResponseReader::read_prepared(Cursor& cursor) {
    if (cursor.header.length != kPreparedSize) {
        fail(cursor, "the server's answer to a prepare has a wrong length");
        return;
    }
    if (!take_whole(cursor)) {
        return;
    }
    PayloadReader reader(cursor.step.payload.substr(1));
    PreparedStatement prepared{.id = reader.u32(), .columns = reader.u16(), .parameters = reader.u16()};
    reader.skip(1);
    prepared.warnings = reader.u16();
    if (prepared.columns > kColumnsMax) {
        fail(cursor, "the server prepares more columns than there can be");
        return;
    }
    cursor.step.prepared = prepared;
    cursor.step.event = ResponseEvent::prepared;
    cursor.is_stopped = true;
    columns_left_ = prepared.columns;
    if (prepared.parameters > 0) {
        definitions_left_ = prepared.parameters;
        state_ = State::parameters;
    } else {
        begin_columns(cursor);
    }
}

void ResponseReader::read_count(Cursor& cursor) {
    if (cursor.header.length > 3) {
        fail(cursor, "the server's column count is malformed");
        return;
    }
    if (!take_whole(cursor)) {
        return;
    }
    PayloadReader reader(cursor.step.payload);
    const uint64_t count = reader.length_encoded();
    if (!reader.is_at_good_end() || count == 0) {
        fail(cursor, "the server's column count is malformed");
        return;
    }
    if (count > kColumnsMax) {
        fail(cursor, "the server sends more columns than there can be");
        return;
    }
    cursor.step.payload = {};  // no event's
    column_count_ = static_cast<uint32_t>(count);
    definitions_left_ = column_count_;
    state_ = State::definitions;
}

void ResponseReader::read_definitions_eof(Cursor& cursor) {
    if (cursor.header.length != 5 || cursor.first != kEofByte) {
        fail(cursor, "the server sends no EOF behind definitions");
        return;
    }
    if (!take_whole(cursor)) {
        return;
    }
    const bool is_read = read_eof(cursor.step.payload, cursor.step.ok);
    ASSERT(is_read);
    if (state_ == State::definitions_eof && options_.form == ResponseForm::results) {
        // The only end that an opened cursor's response has: rows come by COM_STMT_FETCH.
        if ((cursor.step.ok.status & kStatusCursorExists) != 0) {
            end_result(cursor);
            return;
        }
        state_ = State::rows;
    } else if (state_ == State::parameters_eof) {
        begin_columns(cursor);
    } else {
        complete(cursor, ResponseEvent::done);
    }
    if (options_.stops == ResponseStops::boundaries) {
        cursor.step.event = ResponseEvent::definitions_end;
        cursor.is_stopped = true;
    }
    if (!cursor.is_stopped) {
        cursor.step = {};  // no event's
    }
}

bool ResponseReader::read_ending(std::string_view payload, OkPacket& ok) const {
    const bool is_eof = payload.size() < kOkSizeMin && byte_at(payload, 0) == kEofByte;
    if (is_eof) {
        return read_eof(payload, ok);
    }
    const bool may_be_ok = byte_at(payload, 0) == kOkByte || has(options_.capabilities, kDeprecateEof);
    return may_be_ok && read_ok(payload, options_.capabilities, ok);
}

void ResponseReader::read_end(Cursor& cursor) {
    if (!take_whole(cursor)) {
        return;
    }
    if (!read_ending(cursor.step.payload, cursor.step.ok)) {
        fail(cursor, "the server's OK or EOF is malformed");
        return;
    }
    end_result(cursor);
}

void ResponseReader::end_result(Cursor& cursor) {
    const bool has_more =
        options_.form == ResponseForm::results && (cursor.step.ok.status & kStatusMoreResults) != 0;
    if (has_more) {
        state_ = State::first;
        cursor.step.event = ResponseEvent::result_end;
        cursor.is_stopped = true;
    } else {
        complete(cursor, ResponseEvent::result_end);
    }
}

void ResponseReader::read_error(Cursor& cursor) {
    if (is_definitions_end_due_) {
        is_definitions_end_due_ = false;
        cursor.step.event = ResponseEvent::definitions_end;
        cursor.step.packet = cursor.at;
        cursor.is_stopped = true;
        return;
    }
    if (!take_whole(cursor)) {
        return;
    }
    if (!mysql::read_error(cursor.step.payload, cursor.step.error)) {
        fail(cursor, "the server's ERR is malformed");
        return;
    }
    if (cursor.step.error.number == kErrorProgressReport) {
        fail(cursor, "the server reports progress, which was not agreed on");
        return;
    }
    sequence_ = static_cast<uint8_t>(cursor.header.sequence + 1);
    complete(cursor, ResponseEvent::error);
}

void ResponseReader::pause(Cursor& cursor, ResponseEvent event) {
    if (!take_whole(cursor)) {
        return;
    }
    state_ = State::paused;
    cursor.step.event = event;
    cursor.is_stopped = true;
}

}  // namespace mysql
