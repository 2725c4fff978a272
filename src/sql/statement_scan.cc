#include "sql/statement_scan.h"

#include <algorithm>

#include "sql/assignment_reader.h"

namespace sql {

using mysql::Token;
using mysql::TokenKind;

namespace {

std::string_view name_of(const Token& token) { return unquoted(token).text; }

// Of a variable with VariableCare::previous_result.
PreviousValue previous_value(std::string_view variable) {
    if (mysql::equals_ignoring_case(variable, "last_gtid")) {
        return PreviousValue::gtid;
    }
    bool is_insert_id = mysql::equals_ignoring_case(variable, "last_insert_id") ||
                        mysql::equals_ignoring_case(variable, "insert_id") ||
                        mysql::equals_ignoring_case(variable, "identity");
    return is_insert_id ? PreviousValue::insert_id : PreviousValue::messages;
}

}  // namespace

void StatementScan::begin(Verb verb, Target target, Reason reason) {
    found.verb = found.is_multi_statement ? found.verb : verb;
    promise(target, reason);
    found.is_repeatable = false;
    advance();
}

void StatementScan::settle_tables(TableUse least) {
    if (least == TableUse::some || froms_ > calls_with_from_) {
        found.tables = TableUse::some;
    } else if (froms_ > 0 || may_use_unseen_tables_ || least == TableUse::unclear) {
        found.tables = std::max(found.tables, TableUse::unclear);
    }
    froms_ = 0;
    calls_with_from_ = 0;
    may_use_unseen_tables_ = false;
}

void StatementScan::promise_read() {
    promise(Target::read, Reason::pure_read);
    found.is_repeatable = true;
}

void StatementScan::promise(Target target, Reason reason) {
    found.target = target;
    found.reason = reason;
}

void StatementScan::demote(Reason reason, std::string_view detail, Harm harm) {
    if (harm == Harm::may_change) {
        may_use_unseen_tables_ = true;
        found.is_repeatable = false;
    }
    if (found.target != Target::primary) {
        promise(Target::primary, reason);
        found.detail = detail;
    }
}

void StatementScan::scan_rest() {
    while (!is_at_end()) {
        judge();
        advance();
    }
}

void StatementScan::scan_parenthesised() {
    for (size_t depth = 1; !is_at_end(); advance()) {
        if (token_.is_symbol('(')) {
            ++depth;
        } else if (token_.is_symbol(')')) {
            if (--depth == 0) {
                return;
            }
        } else {
            judge();
        }
    }
}

void StatementScan::scan_with() {
    skip_word("recursive");
    do {
        if (token_.is_symbol(',')) {
            advance();
        }
        advance();  // the name: no call, even if "(" follows
        while (!is_at_end() && !is_word("as")) {
            advance();
        }
        advance();
        if (!token_.is_symbol('(')) {
            demote(Reason::unknown_statement, token_.text, Harm::may_change);
            return;
        }
        advance();
        scan_parenthesised();
        advance();
        if (skip_word("cycle")) {
            while (!is_at_end() && !is_word("restrict")) {
                advance();
            }
            advance();
        }
    } while (token_.is_symbol(','));
}

void StatementScan::judge() {
    switch (token_.kind) {
        case TokenKind::word: judge_word(); break;
        case TokenKind::quoted_name:
            if (following_.is_symbol('(')) {
                demote(
                    token_.follows_dot ? Reason::stored_function : Reason::unknown_function,
                    token_.text,
                    Harm::may_change
                );
            } else if (following_.is_symbol('.') && is_server_schema(name_of(token_))) {
                demote(Reason::server_schema, name_of(token_), Harm::none);
            }
            break;
        case TokenKind::user_variable: judge_user_variable(); break;
        case TokenKind::system_variable: judge_system_variable(); break;
        case TokenKind::assign: demote(Reason::assigns, token_.text, Harm::may_change); break;
        default: break;
    }
}

void StatementScan::judge_word() {
    const WordEntry entry = find_word(token_.text);
    if (token_.follows_dot) {
        if (following_.is_symbol('(')) {
            demote(Reason::stored_function, token_.text, Harm::may_change);
        } else if (entry.word == Word::next_value || entry.word == Word::dotted_sequence) {
            found.pins.add(Pin::sequence);
            demote(Reason::uses_sequence, token_.text, Harm::may_change);
        }
        return;
    }
    if (following_.is_symbol('(')) {
        judge_call(entry);
    }
    if (entry.word != Word::none) {
        judge_keyword(entry.word);
    }
}

void StatementScan::judge_call(const WordEntry& entry) {
    judge_special_call(entry.word);
    if (entry.is_keyword || entry.word == Word::last_insert_id || entry.word == Word::row_count ||
        entry.word == Word::found_rows || entry.word == Word::last_value_of_sequence) {
        return;
    }
    if (!entry.is_pure_function) {
        demote(Reason::unknown_function, token_.text, Harm::may_change);
    } else if (entry.needs_adjacent_call &&
               token_.text.data() + token_.text.size() != following_.text.data()) {
        demote(Reason::blank_before_call, token_.text, Harm::may_change);
    }
}

void StatementScan::judge_special_call(Word word) {
    switch (word) {
        case Word::get_lock:
            found.pins.add(Pin::named_lock);
            demote(Reason::named_lock, token_.text, Harm::may_change);
            break;
        case Word::release_all_locks:
            found.pins.remove(PinSet::of(Pin::named_lock));
            found.releases.add(Pin::named_lock);
            [[fallthrough]];
        case Word::release_lock: demote(Reason::named_lock, token_.text, Harm::may_change); break;
        case Word::ask_lock: demote(Reason::named_lock, token_.text, Harm::none); break;
        case Word::last_insert_id: judge_last_insert_id(); break;
        case Word::row_count: read_previous_result(PreviousValue::row_count, token_.text); break;
        case Word::found_rows: read_previous_result(PreviousValue::found_rows, token_.text); break;
        case Word::call_with_from: ++calls_with_from_; break;
        case Word::last_value_of_sequence:
            read_previous_result(PreviousValue::of_sequence, token_.text);
            break;
        case Word::next_value:
            found.pins.add(Pin::sequence);
            demote(Reason::uses_sequence, token_.text, Harm::may_change);
            break;
        case Word::connection_id: found.pins.add(Pin::connection_id); [[fallthrough]];
        case Word::server_function:
        case Word::server_function_without_call:
            demote(Reason::server_function, token_.text, Harm::none);
            break;
        case Word::xpath:
            found.reads_user_variables = true;
            demote(Reason::uses_user_variable, token_.text, Harm::none);
            break;
        default: break;
    }
}

// LAST_INSERT_ID() reads, LAST_INSERT_ID(n) sets. An INSERT, REPLACE or UPDATE that sets it says so in its
// OK.
void StatementScan::judge_last_insert_id() {
    mysql::TokenReader ahead = tokens_;
    if (ahead.next().is_symbol(')')) {
        read_previous_result(PreviousValue::insert_id, token_.text);
        return;
    }
    found.sets_insert_id = true;
    const bool is_reported =
        found.verb == Verb::insert || found.verb == Verb::replace || found.verb == Verb::update;
    if (!is_reported || found.is_multi_statement) {
        found.pins.add(Pin::last_insert_id);
    }
    demote(Reason::assigns, token_.text, Harm::may_change);
}

void StatementScan::note_previous(PreviousValue value) {
    found.reads_previous_result = true;
    found.reads_insert_id = found.reads_insert_id || value == PreviousValue::insert_id;
    found.reads_last_gtid = found.reads_last_gtid || value == PreviousValue::gtid;
    found.reads_row_count = found.reads_row_count || value == PreviousValue::row_count;
    found.reads_found_rows = found.reads_found_rows || value == PreviousValue::found_rows;
    found.reads_messages = found.reads_messages || value == PreviousValue::messages;
}

void StatementScan::read_previous_result(PreviousValue value, std::string_view detail) {
    note_previous(value);
    if (found.target == Target::read) {
        promise(Target::same_connection_as_before, Reason::previous_result);
        found.detail = detail;
    }
}

bool StatementScan::is_followed_by_word(std::string_view lower) const {
    return following_.kind == TokenKind::word && mysql::equals_ignoring_case(following_.text, lower);
}

void StatementScan::judge_keyword(Word word) {
    switch (word) {
        case Word::into:
            if (following_.kind == TokenKind::user_variable) {
                found.pins.add(Pin::user_variable);
            }
            demote(Reason::into, token_.text, Harm::may_change);
            break;
        case Word::for_:
            if (is_followed_by_word("update") || is_followed_by_word("share")) {
                demote(Reason::locks_rows, token_.text, Harm::may_change);
            }
            break;
        case Word::lock: demote(Reason::locks_rows, token_.text, Harm::may_change); break;
        case Word::procedure: demote(Reason::procedure, token_.text, Harm::may_change); break;
        case Word::next:
            if (is_followed_by_word("value")) {
                found.pins.add(Pin::sequence);
                demote(Reason::uses_sequence, token_.text, Harm::may_change);
            }
            break;
        case Word::previous:
            if (is_followed_by_word("value")) {
                read_previous_result(PreviousValue::of_sequence, token_.text);
            }
            break;
        case Word::sql_calc_found_rows: found.pins.add(Pin::found_rows); break;
        case Word::limit: found.limits_rows = true; break;
        case Word::select: found.has_select = true; break;
        case Word::from: froms_ += is_followed_by_word("dual") ? 0 : 1; break;
        case Word::server_function_without_call:
            demote(Reason::server_function, token_.text, Harm::none);
            break;
        case Word::server_schema:
            if (following_.is_symbol('.')) {
                demote(Reason::server_schema, token_.text, Harm::none);
            }
            break;
        default: break;
    }
}

void StatementScan::judge_user_variable() {
    if (following_.kind == TokenKind::assign || has_assigned_variables_) {
        found.pins.add(Pin::user_variable);
        demote(Reason::assigns, token_.text, Harm::may_change);
        return;
    }
    found.reads_user_variables = true;
    demote(Reason::uses_user_variable, token_.text, Harm::none);
}

// @@name, @@session.name, @@local.name, @@global.name.
void StatementScan::judge_system_variable() {
    std::string_view name = name_of(token_);
    const bool is_global = mysql::equals_ignoring_case(name, "global");
    if (is_global || mysql::equals_ignoring_case(name, "session") ||
        mysql::equals_ignoring_case(name, "local")) {
        advance();
        if (token_.is_symbol('.')) {
            advance();
        }
        name = name_of(token_);
    }
    const VariableCare care = is_global ? VariableCare::unknown : variable_care(name);
    if (care == VariableCare::previous_result) {
        read_previous_result(previous_value(name), name);
    } else if (care == VariableCare::unknown || care == VariableCare::session_tracking ||
               following_.is_symbol('.')) {
        demote(Reason::server_variable, name, Harm::none);
    }
}

}  // namespace sql
