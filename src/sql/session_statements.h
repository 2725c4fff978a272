// The statements that change the session or ask about it, each by its own grammar. Internal to this folder.
#pragma once

#include <cstdint>
#include <string_view>

#include "sql/statement_scan.h"

namespace sql {

enum class SetOutcome : uint8_t {
    done,
    statement_follows,           // SET STATEMENT a = 1 FOR: the scan stands behind FOR
    statement_follows_unproven,  // the same, with an assignment that changes more than the way of reading
};

// The scan stands at SET. Inside of SET STATEMENT … FOR no other one may follow.
[[nodiscard]] SetOutcome classify_set_statement(StatementScan& scan, bool is_for_one_statement);

// The scan stands behind SHOW; demotes what one server alone can answer. What the server uses to answer.
[[nodiscard]] TableUse classify_show_kind(StatementScan& scan);

// The scan stands behind BEGIN, START, COMMIT or ROLLBACK.
void classify_transaction_words(StatementScan& scan, Verb verb);

// USE, LOCK, FLUSH, PREPARE, KILL, CREATE …: false if the word begins none of them.
[[nodiscard]] bool classify_session_statement(StatementScan& scan, Word word);

// To the end of the text, over every ";": bodies of routines and compound statements. Notes pins and nothing
// else.
void scan_whole_text(StatementScan& scan);

// Whether a text that cannot be read to its end may do to the session what no server reports.
[[nodiscard]] bool may_hide_effects(std::string_view text);

}  // namespace sql
