// What a statement needs that only the connection of an earlier statement of its session knows. Pure.
#pragma once

#include "sql/session_state.h"
#include "sql/statement_class.h"

namespace sql {

struct Continuity {
    bool of_row_count = false;   // ROW_COUNT()
    bool of_found_rows = false;  // FOUND_ROWS(), which may be of a statement before the last one
    bool of_messages = false;    // warnings and errors, which may be, too
    bool of_insert = false;      // LAST_INSERT_ID()
    bool of_gtid = false;        // @@last_gtid
    bool may_be_lost = false;    // the id: the command may need it, and may not

    // What no server but that of the statement, or the session's memory of it, can answer.
    [[nodiscard]] bool of_result() const { return of_row_count || of_found_rows || of_messages; }
};

// In a text of several statements a later one may mean an earlier one of it.
[[nodiscard]] Continuity continuity_of(const StatementClass& statement, const StatementEffects& effects);

}  // namespace sql
