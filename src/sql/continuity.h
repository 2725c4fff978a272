// What a statement needs that only the connection of an earlier statement of its session knows. Pure.
#pragma once

#include <string_view>

#include "sql/session_state.h"
#include "sql/statement_class.h"

namespace sql {

struct Continuity {
    bool of_result = false;      // rows, counts and warnings of the statement before
    bool is_messages = false;    // of them, warnings and errors alone
    bool of_found_rows = false;  // FOUND_ROWS(), which may be of a statement before that
    bool of_insert = false;      // LAST_INSERT_ID()
    bool of_gtid = false;        // @@last_gtid
    bool may_be_lost = false;    // the id: the command may need it, and may not
};

// In a text of several statements a later one may mean an earlier one of it.
[[nodiscard]] Continuity continuity_of(
    std::string_view text,
    const StatementClass& statement,
    const StatementEffects& effects
);

}  // namespace sql
