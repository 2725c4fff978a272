#include "sql/continuity.h"

#include <algorithm>

namespace sql {

namespace {

// Whether LAST_INSERT_ID() may be another after it, though its text does not name it.
bool may_insert(Verb verb) {
    switch (verb) {
        case Verb::insert:
        case Verb::replace:
        case Verb::load:
        case Verb::call:
        case Verb::create:   // … SELECT
        case Verb::analyze:  // runs what it analyses
        case Verb::prepare:
        case Verb::compound:
        case Verb::admin:
        case Verb::other: return true;
        default: return false;
    }
}

bool mentions_found_rows(std::string_view text) {
    constexpr std::string_view kName = "found_rows";
    auto is_same = [](char left, char right) { return (left | 0x20) == (right | 0x20); };
    return !std::ranges::search(text, kName, is_same).empty();
}

}  // namespace

Continuity continuity_of(
    std::string_view text,
    const StatementClass& statement,
    const StatementEffects& effects
) {
    bool is_alone = !statement.is_multi_statement;
    // What the id is after a failure, explicit values or RETURNING, no answer tells: it must have been the
    // session's before.
    bool changes_insert_id = !effects.is_read && (!is_alone || may_insert(statement.verb));
    return {
        .of_result = statement.reads_last_result && is_alone,
        .is_messages = is_alone && (statement.verb == Verb::show || statement.verb == Verb::diagnose),
        .of_found_rows = statement.reads_last_result && is_alone && mentions_found_rows(text),
        // What pins may read it unseen, and stays with its connection.
        .of_insert = statement.reads_insert_id || !effects.pins.is_empty() || changes_insert_id,
        .of_gtid = statement.reads_last_gtid,
        .may_be_lost = !statement.reads_insert_id,
    };
}

}  // namespace sql
