// What a server answers to a short question of our own, as strings: rows of the text protocol, packet by
// packet. Pure, and bounded against a hostile server (MariaDB KB: Result Set Packets).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mariadb/answer_parts.h"

namespace mariadb {

// A short question's answer. Bounded by QueryBounds.
struct QueryResult {
    using Value = std::optional<std::string>;  // nothing: NULL

    std::vector<std::string> columns{};
    std::vector<std::vector<Value>> rows{};
    uint64_t affected_rows = 0;
    uint16_t status = 0;  // flags of its OK, or of the end of its rows

    // The value in the row's column of this name; null if there is none, or it is NULL.
    [[nodiscard]] const std::string* value(size_t row, std::string_view column) const;
};

// One for each statement of the text. `failure`: the ERR that ended it, behind the results before it.
struct QueryAnswer {
    std::vector<QueryResult> results{};
    std::optional<ServerFailure> failure{};
};

struct QueryBounds {
    size_t rows_max = 1000;
    size_t bytes_max = size_t{1} << 20;  // of values and column names, all results together
};

enum class QueryProgress : uint8_t { more, complete, failed };

class QueryReader {
public:
    // `capabilities`: agreed on with the server.
    QueryReader(mysql::Capabilities capabilities, QueryBounds bounds)
        : parts_(capabilities), bounds_(bounds) {}

    // The payload of the next packet, whole. Not to be called again after complete or failed (asserted).
    [[nodiscard]] QueryProgress read(std::string_view payload);

    // After complete.
    [[nodiscard]] QueryAnswer take_answer() { return std::move(answer_); }

    // After failed: what the server did wrong. Its connection cannot be used any more.
    [[nodiscard]] const ServerFailure& failure() const { return parts_.failure(); }

private:
    [[nodiscard]] QueryProgress take_column();
    [[nodiscard]] QueryProgress take_row(std::string_view payload);
    [[nodiscard]] QueryProgress take_end();
    [[nodiscard]] QueryProgress refuse(core::ErrorKind kind, std::string_view sentence);
    [[nodiscard]] bool has_room_for(size_t bytes);

    AnswerParts parts_;
    QueryBounds bounds_;
    size_t rows_ = 0;
    size_t bytes_ = 0;
    QueryAnswer answer_;
    QueryResult result_;
};

}  // namespace mariadb
