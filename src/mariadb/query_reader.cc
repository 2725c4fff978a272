#include "mariadb/query_reader.h"

#include <algorithm>

#include "mysql/wire.h"

namespace mariadb {

namespace {

// Of one answer: a text of ours has a handful of statements.
constexpr size_t kResultsMax = 32;
constexpr uint8_t kNull = 0xFB;

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
    switch (parts_.read(payload)) {
        case AnswerPart::framing: return QueryProgress::more;
        case AnswerPart::column: return take_column();
        case AnswerPart::row: return take_row(payload);
        case AnswerPart::end: return take_end();
        case AnswerPart::error: answer_.failure = parts_.failure(); return QueryProgress::complete;
        case AnswerPart::broken: break;
    }
    return QueryProgress::failed;
}

QueryProgress QueryReader::take_column() {
    std::string_view name = parts_.column().name;
    if (!has_room_for(name.size())) {
        return refuse(core::ErrorKind::too_large, "a longer answer than was asked for");
    }
    result_.columns.emplace_back(name);
    return QueryProgress::more;
}

QueryProgress QueryReader::take_row(std::string_view payload) {
    if (++rows_ > bounds_.rows_max) {
        return refuse(core::ErrorKind::too_large, "more rows than were asked for");
    }
    mysql::PayloadReader reader(payload);
    std::vector<QueryResult::Value> row;
    for (size_t column = 0; column < result_.columns.size(); ++column) {
        if (reader.left() != 0 && reader.peek() == kNull) {
            reader.skip(1);
            if (!has_room_for(0)) {
                return refuse(core::ErrorKind::too_large, "a longer answer than was asked for");
            }
            row.emplace_back();
            continue;
        }
        std::string_view value = reader.length_encoded_string();
        if (!reader.is_good()) {
            return refuse(core::ErrorKind::invalid, "a malformed row");
        }
        if (!has_room_for(value.size())) {
            return refuse(core::ErrorKind::too_large, "a longer answer than was asked for");
        }
        row.emplace_back(std::string(value));
    }
    if (!reader.is_at_good_end()) {
        return refuse(core::ErrorKind::invalid, "a row with more values than columns");
    }
    result_.rows.push_back(std::move(row));
    return QueryProgress::more;
}

QueryProgress QueryReader::take_end() {
    if (answer_.results.size() >= kResultsMax) {
        return refuse(core::ErrorKind::too_large, "more results than were asked for");
    }
    // Of an OK; behind rows it says nothing of it.
    result_.affected_rows = result_.columns.empty() ? parts_.ok().affected_rows : 0;
    result_.status = parts_.ok().status;
    answer_.results.push_back(std::exchange(result_, {}));
    return parts_.has_ended() ? QueryProgress::complete : QueryProgress::more;
}

QueryProgress QueryReader::refuse(core::ErrorKind kind, std::string_view sentence) {
    parts_.refuse(kind, sentence);
    return QueryProgress::failed;
}

// Each value costs memory of its own, even an empty one or a NULL.
bool QueryReader::has_room_for(size_t bytes) {
    bytes_ += bytes + sizeof(QueryResult::Value);
    return bytes_ <= bounds_.bytes_max;
}

}  // namespace mariadb
