#include "mariadb/statement_reader.h"

#include "core/panic.h"

namespace mariadb {

namespace {

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
    switch (parts_.read(payload)) {
        case AnswerPart::framing: return QueryProgress::more;
        case AnswerPart::column: return take_column();
        case AnswerPart::row: return take_row(payload);
        case AnswerPart::end: return take_end();
        case AnswerPart::error: return QueryProgress::complete;
        case AnswerPart::broken: break;
    }
    return QueryProgress::failed;
}

ServerResult<StatementResult> StatementReader::take_result() {
    ASSERT(parts_.has_ended());
    if (parts_.failure().is_from_server()) {
        return std::unexpected(parts_.failure());
    }
    return std::move(result_);
}

QueryProgress StatementReader::take_column() {
    const mysql::ColumnDefinition& column = parts_.column();
    if (!has_room_for(sizeof(std::string) + column.name.size())) {
        return refuse(core::ErrorKind::too_large, "a longer answer than is taken");
    }
    result_.columns.emplace_back(column.name);
    formats_.push_back({.type = column.type, .is_unsigned = column.is_unsigned()});
    return QueryProgress::more;
}

QueryProgress StatementReader::take_row(std::string_view payload) {
    if (result_.rows >= bounds_.rows_max) {
        return refuse(core::ErrorKind::too_large, "more rows than are taken");
    }
    mysql::BinaryRowReader reader(payload, formats_.size());
    for (const mysql::ColumnFormat& format : formats_) {
        mysql::StatementValue value = reader.next(format);
        if (!has_room_for(sizeof(StatementCell) + value.text.size())) {
            return refuse(core::ErrorKind::too_large, "a longer answer than is taken");
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
        return refuse(core::ErrorKind::invalid, "a malformed row");
    }
    ++result_.rows;
    return QueryProgress::more;
}

QueryProgress StatementReader::take_end() {
    const mysql::OkPacket& ok = parts_.ok();
    if (!parts_.has_ended()) {
        return refuse(core::ErrorKind::unsupported, "a statement that gives several results");
    }
    result_.affected_rows = ok.affected_rows;
    result_.last_insert_id = ok.last_insert_id;
    result_.warnings = ok.warnings;
    result_.status = ok.status;
    if (!ok.session_track.empty()) {
        result_.last_gtid = gtid_in(ok.session_track);
    }
    return QueryProgress::complete;
}

QueryProgress StatementReader::refuse(core::ErrorKind kind, std::string_view sentence) {
    parts_.refuse(kind, sentence);
    return QueryProgress::failed;
}

bool StatementReader::has_room_for(size_t bytes) {
    bytes_ += bytes;
    return bytes_ <= bounds_.bytes_max;
}

}  // namespace mariadb
