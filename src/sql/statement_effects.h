// What a statement does to its session, by its text. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "mysql/sql_tokens.h"
#include "sql/carried_state.h"
#include "sql/statement_class.h"

namespace sql {

// What a statement does to its session if it succeeds; owns what it says.
struct StatementEffects {
    Verb verb = Verb::other;
    TransactionEffect transaction = TransactionEffect::none;
    PinSet pins{};
    PinSet releases{};
    std::vector<StateEntry> entries{};  // in the order of the text
    bool is_read = false;               // its text promises to change nothing
    bool is_session_set = false;        // SET, and all that it changes is in `entries`
    bool counts_found_rows = false;     // SQL_CALC_FOUND_ROWS
    bool has_select = false;            // in it, or nobody knows
    TableUse tables = TableUse::none;
    bool tells_found_rows = false;  // FOUND_ROWS() is the number of rows that it gives
};

// Of a statement by its text and class.
[[nodiscard]] StatementEffects effects_of(
    std::string_view text,
    const StatementClass& statement,
    const mysql::TokenSettings& settings
);

// The same of a statement that is prepared: what SET says is not captured when it is executed, so it pins.
[[nodiscard]] StatementEffects prepared_effects_of(const StatementClass& statement);

}  // namespace sql
