// What a session may ask about its statement before when the connection that ran it serves another session
// now: what the router knows of that result, and questions that it can answer by it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mysql/sql_tokens.h"

namespace sql {

struct PreviousResult {
    int64_t row_count = 0;                   // ROW_COUNT()
    std::optional<uint64_t> found_rows = 0;  // FOUND_ROWS(); nothing: only the connection knows
};

// SELECT ROW_COUNT() or SELECT FOUND_ROWS(), perhaps AS a name, and nothing else.
struct PreviousQuestion {
    enum class Kind : uint8_t { row_count, found_rows };

    Kind kind = Kind::row_count;
    std::string label{};  // of its column, without quotes
};

[[nodiscard]] std::optional<PreviousQuestion> read_previous_question(
    std::string_view text,
    const mysql::TokenSettings& settings
);

// A statement that gives the same result set on any connection. Nothing: the value is not known.
[[nodiscard]] std::optional<std::string> answering_statement(
    const PreviousQuestion& question,
    const PreviousResult& result
);

}  // namespace sql
