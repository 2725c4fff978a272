#include "mariadb/statement_reader.h"

#include "core/panic.h"
#include "mysql/column_definition.h"
#include "mysql/response_reader.h"
#include "mysql/wire.h"

namespace mariadb {

namespace {

constexpr uint8_t kFileAsked = 0xFB;
constexpr size_t kEofPayload = 5;

std::string gtid_in(std::string_view session_track) {
    mysql::SessionTrackReader reader(session_track);
    mysql::SessionTrackEntry entry;
    std::string_view found;
    while (reader.next(entry)) {
        if (entry.type == mysql::SessionTrackType::system_variable && entry.name == "last_gtid") {
            found = entry.value;
        }
    }
    return reader.is_good() ? std::string(found) : std::string();
}

}  // namespace

const StatementCell& StatementResult::cell(size_t row, size_t column) const {
    ASSERT(row < rows && column < columns.size());
    return cells[row * columns.size() + column];
}

std::string_view StatementResult::text_of(const StatementCell& cell) const {
    return std::string_view(text).substr(static_cast<size_t>(cell.bits), cell.length);
}

QueryProgress StatementReader::read(std::string_view payload) {
    ASSERT(state_ != State::ended);
    if (payload.empty()) {
        return fail(core::ErrorKind::invalid, "an empty packet within an answer");
    }
    switch (state_) {
        case State::first: return read_first(payload);
        case State::definitions: return read_definition(payload);
        case State::definitions_eof: {
            mysql::OkPacket eof;
            if (!mysql::read_eof(payload, eof)) {
                return fail(core::ErrorKind::invalid, "no EOF behind the column definitions");
            }
            state_ = State::rows;
            return QueryProgress::more;
        }
        case State::rows: return read_row(payload);
        case State::ended: break;
    }
    PANIC("an answer of a server goes on behind its end");
}

ServerResult<StatementResult> StatementReader::take_result() {
    ASSERT(state_ == State::ended);
    if (has_error_) {
        return std::unexpected(std::move(failure_));
    }
    return std::move(result_);
}

QueryProgress StatementReader::read_first(std::string_view payload) {
    switch (mysql::byte_at(payload, 0)) {
        case mysql::kOkByte: {
            mysql::OkPacket ok;
            if (!mysql::read_ok(payload, capabilities_, ok)) {
                return fail(core::ErrorKind::invalid, "a malformed OK");
            }
            return end_result(ok);
        }
        case mysql::kErrorByte: return end_with_error(payload);
        case kFileAsked: return fail(core::ErrorKind::invalid, "a request for a file that nobody offered");
        default: break;
    }
    mysql::PayloadReader reader(payload);
    definitions_left_ = reader.length_encoded();
    if (!reader.is_at_good_end() || definitions_left_ == 0) {
        return fail(core::ErrorKind::invalid, "a malformed answer");
    }
    if (definitions_left_ > mysql::kColumnsMax) {
        return fail(core::ErrorKind::too_large, "more columns than a server may send");
    }
    state_ = State::definitions;
    return QueryProgress::more;
}

QueryProgress StatementReader::read_definition(std::string_view payload) {
    mysql::ColumnDefinition column;
    if (!mysql::read_column_definition(payload, capabilities_, column)) {
        return fail(core::ErrorKind::invalid, "a malformed column definition");
    }
    if (!has_room_for(sizeof(std::string) + column.name.size())) {
        return fail(core::ErrorKind::too_large, "a longer answer than is taken");
    }
    result_.columns.emplace_back(column.name);
    formats_.push_back({.type = column.type, .is_unsigned = column.is_unsigned()});
    if (--definitions_left_ == 0) {
        bool has_eof = !mysql::has(capabilities_, mysql::kDeprecateEof);
        state_ = has_eof ? State::definitions_eof : State::rows;
    }
    return QueryProgress::more;
}

QueryProgress StatementReader::read_row(std::string_view payload) {
    uint8_t first = mysql::byte_at(payload, 0);
    if (first == mysql::kErrorByte) {
        return end_with_error(payload);
    }
    // A binary row begins with 0.
    if (first == mysql::kEofByte) {
        bool has_ok = mysql::has(capabilities_, mysql::kDeprecateEof);
        mysql::OkPacket ok;
        bool is_good = has_ok ? mysql::read_ok(payload, capabilities_, ok)
                              : payload.size() == kEofPayload && mysql::read_eof(payload, ok);
        return is_good ? end_result(ok) : fail(core::ErrorKind::invalid, "a malformed end of rows");
    }
    if (result_.rows >= bounds_.rows_max) {
        return fail(core::ErrorKind::too_large, "more rows than are taken");
    }
    mysql::BinaryRowReader reader(payload, formats_.size());
    for (const mysql::ColumnFormat& format : formats_) {
        mysql::StatementValue value = reader.next(format);
        if (!has_room_for(sizeof(StatementCell) + value.text.size())) {
            return fail(core::ErrorKind::too_large, "a longer answer than is taken");
        }
        StatementCell cell{.kind = value.kind, .bits = value.bits};
        if (value.kind == mysql::ValueKind::text) {
            cell.length = static_cast<uint32_t>(value.text.size());
            cell.bits = result_.text.size();
            result_.text += value.text;
        }
        result_.cells.push_back(cell);
    }
    if (!reader.is_at_good_end()) {
        return fail(core::ErrorKind::invalid, "a malformed row");
    }
    ++result_.rows;
    return QueryProgress::more;
}

QueryProgress StatementReader::end_with_error(std::string_view payload) {
    mysql::ErrorPacket error;
    if (!mysql::read_error(payload, error) || error.number == 0) {
        return fail(core::ErrorKind::invalid, "a malformed ERR");
    }
    failure_ = failure_of(error);
    has_error_ = true;
    state_ = State::ended;
    return QueryProgress::complete;
}

QueryProgress StatementReader::end_result(const mysql::OkPacket& ok) {
    if ((ok.status & mysql::kStatusMoreResults) != 0) {
        return fail(core::ErrorKind::unsupported, "a statement that gives several results");
    }
    result_.affected_rows = ok.affected_rows;
    result_.last_insert_id = ok.last_insert_id;
    result_.warnings = ok.warnings;
    result_.status = ok.status;
    if (!ok.session_track.empty()) {
        result_.last_gtid = gtid_in(ok.session_track);
    }
    state_ = State::ended;
    return QueryProgress::complete;
}

QueryProgress StatementReader::fail(core::ErrorKind kind, std::string_view sentence) {
    failure_ = {.kind = kind, .message = std::string(sentence)};
    state_ = State::ended;
    return QueryProgress::failed;
}

bool StatementReader::has_room_for(size_t bytes) {
    bytes_ += bytes;
    return bytes_ <= bounds_.bytes_max;
}

}  // namespace mariadb
