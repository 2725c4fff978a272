#include "mariadb/query_reader.h"

#include <algorithm>

#include "core/panic.h"
#include "mysql/column_definition.h"
#include "mysql/response_reader.h"
#include "mysql/wire.h"

namespace mariadb {

namespace {

// Of one answer: a text of ours has a handful of statements.
constexpr size_t kResultsMax = 32;
constexpr uint8_t kFileRequest = 0xFB;
constexpr uint8_t kNull = 0xFB;
// An EOF has four bytes behind its first; a row may begin with 0xFE too, but is much longer then.
constexpr size_t kEofSize = 5;

}  // namespace

const std::string* QueryResult::value(size_t row, std::string_view column) const {
    if (row >= rows.size()) {
        return nullptr;
    }
    auto found = std::ranges::find(columns, column);
    if (found == columns.end()) {
        return nullptr;
    }
    const Value& value = rows[row][static_cast<size_t>(found - columns.begin())];
    return value ? &*value : nullptr;
}

QueryProgress QueryReader::read(std::string_view payload) {
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

QueryProgress QueryReader::read_first(std::string_view payload) {
    switch (mysql::byte_at(payload, 0)) {
        case mysql::kOkByte: {
            mysql::OkPacket ok;
            if (!mysql::read_ok(payload, capabilities_, ok)) {
                return fail(core::ErrorKind::invalid, "a malformed OK");
            }
            result_.affected_rows = ok.affected_rows;
            return end_result(ok);
        }
        case mysql::kErrorByte: return end_with_error(payload);
        case kFileRequest: return fail(core::ErrorKind::invalid, "a request for a file that nobody offered");
        default: break;
    }
    mysql::PayloadReader reader(payload);
    uint64_t count = reader.length_encoded();
    if (!reader.is_at_good_end() || count == 0) {
        return fail(core::ErrorKind::invalid, "a malformed answer");
    }
    if (count > mysql::kColumnsMax) {
        return fail(core::ErrorKind::too_large, "more columns than a server may send");
    }
    definitions_left_ = count;
    state_ = State::definitions;
    return QueryProgress::more;
}

QueryProgress QueryReader::read_definition(std::string_view payload) {
    mysql::ColumnDefinition column;
    if (!mysql::read_column_definition(payload, capabilities_, column)) {
        return fail(core::ErrorKind::invalid, "a malformed column definition");
    }
    if (!has_room_for(column.name.size())) {
        return fail(core::ErrorKind::too_large, "a longer answer than was asked for");
    }
    result_.columns.emplace_back(column.name);
    if (--definitions_left_ == 0) {
        bool has_eof = !mysql::has(capabilities_, mysql::kDeprecateEof);
        state_ = has_eof ? State::definitions_eof : State::rows;
    }
    return QueryProgress::more;
}

QueryProgress QueryReader::read_row(std::string_view payload) {
    uint8_t first = mysql::byte_at(payload, 0);
    if (first == mysql::kErrorByte) {
        return end_with_error(payload);
    }
    bool has_ok = mysql::has(capabilities_, mysql::kDeprecateEof);
    if (first == mysql::kEofByte && (has_ok || payload.size() == kEofSize)) {
        mysql::OkPacket ok;
        bool is_good = has_ok ? mysql::read_ok(payload, capabilities_, ok) : mysql::read_eof(payload, ok);
        if (!is_good) {
            return fail(core::ErrorKind::invalid, "a malformed end of rows");
        }
        return end_result(ok);
    }
    if (++rows_ > bounds_.rows_max) {
        return fail(core::ErrorKind::too_large, "more rows than were asked for");
    }
    mysql::PayloadReader reader(payload);
    std::vector<QueryResult::Value> row;
    for (size_t column = 0; column < result_.columns.size(); ++column) {
        if (reader.left() != 0 && reader.peek() == kNull) {
            reader.skip(1);
            if (!has_room_for(0)) {
                return fail(core::ErrorKind::too_large, "a longer answer than was asked for");
            }
            row.emplace_back();
            continue;
        }
        std::string_view value = reader.length_encoded_string();
        if (!reader.is_good()) {
            return fail(core::ErrorKind::invalid, "a malformed row");
        }
        if (!has_room_for(value.size())) {
            return fail(core::ErrorKind::too_large, "a longer answer than was asked for");
        }
        row.emplace_back(std::string(value));
    }
    if (!reader.is_at_good_end()) {
        return fail(core::ErrorKind::invalid, "a row with more values than columns");
    }
    result_.rows.push_back(std::move(row));
    return QueryProgress::more;
}

QueryProgress QueryReader::end_with_error(std::string_view payload) {
    mysql::ErrorPacket error;
    if (!mysql::read_error(payload, error) || error.number == 0) {
        return fail(core::ErrorKind::invalid, "a malformed ERR");
    }
    answer_.failure = failure_of(error);
    state_ = State::ended;
    return QueryProgress::complete;
}

QueryProgress QueryReader::end_result(const mysql::OkPacket& ok) {
    if (answer_.results.size() >= kResultsMax) {
        return fail(core::ErrorKind::too_large, "more results than were asked for");
    }
    answer_.results.push_back(std::exchange(result_, {}));
    bool is_last = (ok.status & mysql::kStatusMoreResults) == 0;
    state_ = is_last ? State::ended : State::first;
    return is_last ? QueryProgress::complete : QueryProgress::more;
}

QueryProgress QueryReader::fail(core::ErrorKind kind, std::string_view sentence) {
    failure_ = {.kind = kind, .message = std::string(sentence)};
    state_ = State::ended;
    return QueryProgress::failed;
}

// Each value costs memory of its own, even an empty one or a NULL.
bool QueryReader::has_room_for(size_t bytes) {
    bytes_ += bytes + sizeof(QueryResult::Value);
    return bytes_ <= bounds_.bytes_max;
}

ServerFailure failure_of(const mysql::ErrorPacket& error) {
    std::string_view state = error.sqlstate.empty() ? mysql::sqlstate_of(error.number) : error.sqlstate;
    return {
        .kind = core::ErrorKind::permission,
        .number = error.number,
        .sqlstate = std::string(state),
        .message = std::string(error.message),
    };
}

}  // namespace mariadb
