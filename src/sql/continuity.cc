#include "sql/continuity.h"

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

}  // namespace

Continuity continuity_of(const StatementClass& statement, const StatementEffects& effects) {
    bool is_alone = !statement.is_multi_statement;
    // What the id is after a failure, explicit values or RETURNING, no answer tells: it must have been the
    // session's before.
    bool may_set_it = statement.sets_insert_id || statement.reason == Reason::only_beginning;
    bool changes_insert_id = !effects.is_read && (!is_alone || may_insert(statement.verb) || may_set_it);
    return {
        .of_row_count = statement.reads_row_count && is_alone,
        .of_found_rows = statement.reads_found_rows && is_alone,
        .of_messages = statement.reads_messages && is_alone,
        // What pins may read it unseen, and stays with its connection.
        .of_insert = statement.reads_insert_id || !effects.pins.is_empty() || changes_insert_id,
        .of_gtid = statement.reads_last_gtid,
        .may_be_lost = !statement.reads_insert_id,
    };
}

}  // namespace sql
