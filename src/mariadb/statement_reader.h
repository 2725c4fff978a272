// A server's answer to one execution of a prepared statement (rows of the binary protocol), or to a command
// that gives no rows: packet by packet. Pure, and bounded against a hostile server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mariadb/query_reader.h"
#include "mysql/statement_values.h"

namespace mariadb {

// A value of a row. A text lies in StatementResult::text, from `bits` on.
struct StatementCell {
    mysql::ValueKind kind = mysql::ValueKind::null;
    uint32_t length = 0;
    uint64_t bits = 0;
};

struct StatementResult {
    std::vector<std::string> columns{};
    std::vector<StatementCell> cells{};  // row by row
    std::string text{};
    size_t rows = 0;
    uint64_t affected_rows = 0;
    uint64_t last_insert_id = 0;
    uint16_t warnings = 0;
    uint16_t status = 0;      // of the session, see kStatusInTransaction
    std::string last_gtid{};  // of what the statement wrote, where the server tells it; "": it wrote nothing

    // `row` and `column` are there (asserted).
    [[nodiscard]] const StatementCell& cell(size_t row, size_t column) const;
    [[nodiscard]] std::string_view text_of(const StatementCell& cell) const;
};

class StatementReader {
public:
    // `capabilities`: agreed on with the server.
    StatementReader(mysql::Capabilities capabilities, QueryBounds bounds)
        : parts_(capabilities), bounds_(bounds) {}

    // The payload of the next packet, whole. Not to be called again after complete or failed (asserted).
    [[nodiscard]] QueryProgress read(std::string_view payload);

    // After complete: the result, or what the server said against the statement.
    [[nodiscard]] ServerResult<StatementResult> take_result();

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
    size_t bytes_ = 0;
    std::vector<mysql::ColumnFormat> formats_;
    StatementResult result_;
};

}  // namespace mariadb
