// SET: what the router takes over by itself, what a server has to be asked for, and what pins.
#include <optional>

#include "sql/assignment_reader.h"
#include "sql/session_statements.h"

namespace sql {

namespace {

// Values of autocommit that switch it; nothing for any other.
std::optional<bool> switch_value(std::string_view value) {
    if (value.starts_with('\'') && value.size() >= 2) {
        value = value.substr(1, value.size() - 2);
    }
    for (const std::string_view on : {"1", "+1", "on", "true"}) {
        if (mysql::equals_ignoring_case(value, on)) {
            return true;
        }
    }
    for (const std::string_view off : {"0", "off", "false"}) {
        if (mysql::equals_ignoring_case(value, off)) {
            return false;
        }
    }
    return std::nullopt;
}

void send_set(StatementScan& scan, const Assignment& assignment, std::optional<Pin> pin) {
    if (pin) {
        scan.found.pins.add(*pin);
    }
    if (scan.found.target != Target::primary) {
        scan.promise(Target::primary, Reason::sets_variable);
        scan.found.detail = assignment.name;
    }
}

void apply_system_variable(StatementScan& scan, const Assignment& assignment) {
    switch (assignment.care) {
        case VariableCare::unknown: send_set(scan, assignment, Pin::unknown_variable); return;
        case VariableCare::session_tracking: send_set(scan, assignment, Pin::session_tracking); return;
        case VariableCare::previous_result: send_set(scan, assignment, Pin::last_insert_id); return;
        case VariableCare::carried:
            if (!assignment.is_literal) {
                send_set(scan, assignment, Pin::computed_variable);
            }
            scan.captured.add(Pin::computed_variable);
            return;
        case VariableCare::reported:
            if (!assignment.is_literal) {
                send_set(scan, assignment, std::nullopt);
            }
            return;
        case VariableCare::autocommit: break;
    }
    const std::optional<bool> is_on = switch_value(assignment.value);
    if (is_on) {
        scan.found.transaction =
            *is_on ? TransactionEffect::autocommit_on : TransactionEffect::autocommit_off;
    } else {
        send_set(scan, assignment, std::nullopt);
    }
}

void apply_assignment(StatementScan& scan, const Assignment& assignment) {
    switch (assignment.kind) {
        case AssignmentKind::system_variable: apply_system_variable(scan, assignment); return;
        case AssignmentKind::user_variable:
            if (!assignment.is_literal) {
                send_set(scan, assignment, Pin::user_variable);
            }
            scan.captured.add(Pin::user_variable);
            return;
        case AssignmentKind::names:
        case AssignmentKind::character_set: return;
        case AssignmentKind::global_variable:
        case AssignmentKind::other: send_set(scan, assignment, std::nullopt); return;
        case AssignmentKind::unclear: send_set(scan, assignment, Pin::unknown_variable); return;
    }
}

// Behind SET TRANSACTION, which holds for the next transaction only.
void classify_next_transaction(StatementScan& scan) {
    scan.promise(Target::session, Reason::changes_session_only);
    scan.found.transaction = TransactionEffect::next_other;
    while (!scan.is_at_end()) {
        if (scan.is_word("only")) {
            scan.found.transaction = TransactionEffect::next_read_only;
        }
        scan.advance();
    }
}

// The tokens of a SET whose assignments have been read: over them, and judged where they compute something.
void pass_set(StatementScan& scan, bool is_computed) {
    while (!scan.is_at_end() && !is_computed) {
        scan.advance();
    }
    scan.scan_rest();
}

}  // namespace

SetOutcome classify_set_statement(StatementScan& scan, bool is_for_one_statement) {
    AssignmentReader reader(scan.text(), scan.tokens(), scan.token(), scan.following());
    scan.begin(Verb::set, Target::primary, Reason::write);
    if (scan.skip_word("transaction")) {
        classify_next_transaction(scan);
        return SetOutcome::done;
    }
    if (scan.is_word("role")) {
        scan.found.pins.add(Pin::role);
    }
    scan.promise(Target::session, Reason::changes_session_only);
    const StatementClass before = scan.found;
    while (const std::optional<Assignment> assignment = reader.next()) {
        apply_assignment(scan, *assignment);
    }
    const bool is_unproven =
        scan.found.target != Target::session || scan.found.transaction != before.transaction;
    if (!reader.is_for_one_statement()) {
        pass_set(scan, scan.found.target != Target::session);
        return SetOutcome::done;
    }
    // What holds for one statement pins nothing.
    scan.found = before;
    if (is_for_one_statement) {
        scan.promise(Target::primary, Reason::unknown_statement);
        scan.scan_rest();
        return SetOutcome::done;
    }
    while (!scan.is_at_end() && scan.offset() <= reader.position()) {
        scan.advance();
    }
    return is_unproven ? SetOutcome::statement_follows_unproven : SetOutcome::statement_follows;
}

}  // namespace sql
