#include "sql/session_statements.h"

#include <algorithm>
#include <charconv>

namespace sql {

using mysql::TokenKind;

namespace {

void classify_create(StatementScan& scan) {
    scan.begin(Verb::create, Target::primary, Reason::write);
    while (scan.is_word("or") || scan.is_word("replace")) {
        scan.advance();
    }
    if (scan.is_word("temporary")) {
        scan.found.pins.add(Pin::temporary_table);
    }
    // A routine has statements in its body, which do not run now; DEFINER = a@b is no user variable either.
    const bool is_body = scan.is_word("procedure") || scan.is_word("function") || scan.is_word("trigger") ||
                         scan.is_word("event") || scan.is_word("package") || scan.is_word("definer") ||
                         scan.is_word("aggregate");
    if (!is_body) {
        scan.scan_rest();
        return;
    }
    const PinSet before = scan.found.pins;
    const bool reads_variables = scan.found.reads_user_variables;
    bool has_end = false;
    while (scan.token().kind != TokenKind::end && scan.token().kind != TokenKind::unclear) {
        has_end = has_end || scan.token().is_symbol(';');
        scan.advance();
        if (has_end && scan.token().kind != TokenKind::end) {
            scan.found.is_multi_statement = true;  // or a body: it cannot be told without a grammar
        }
    }
    scan.found.pins = before;
    scan.found.reads_user_variables = reads_variables;
}

void classify_use(StatementScan& scan) {
    scan.begin(Verb::use, Target::primary, Reason::write);
    const mysql::Unquoted name = unquoted(scan.token());
    const bool is_name = scan.token().kind == TokenKind::word || scan.token().kind == TokenKind::quoted_name;
    scan.advance();
    if (is_name && name.is_exact && !name.text.empty() && scan.is_at_end()) {
        scan.found.schema = name.text;
        scan.promise(Target::session, Reason::changes_session_only);
    }
    scan.scan_rest();
}

void classify_lock(StatementScan& scan) {
    scan.begin(Verb::lock, Target::primary, Reason::write);
    scan.found.pins.add(Pin::table_lock);
    scan.scan_rest();
}

void classify_unlock(StatementScan& scan) {
    scan.begin(Verb::lock, Target::primary, Reason::write);
    scan.found.releases.add(Pin::table_lock);
    scan.found.releases.add(Pin::global_read_lock);
    scan.scan_rest();
}

void classify_backup(StatementScan& scan) {
    scan.begin(Verb::lock, Target::primary, Reason::write);
    const bool is_stage = scan.skip_word("stage");
    if (scan.is_word("unlock") || (is_stage && scan.is_word("end"))) {
        scan.found.releases.add(Pin::backup_lock);
    } else {
        scan.found.pins.add(Pin::backup_lock);
    }
    scan.scan_rest();
}

// FLUSH TABLES [names] WITH READ LOCK, FOR EXPORT.
void classify_flush(StatementScan& scan) {
    scan.begin(Verb::flush, Target::primary, Reason::write);
    while (!scan.is_at_end()) {
        if ((scan.is_word("with") || scan.is_word("for")) && scan.following().kind == TokenKind::word) {
            scan.found.pins.add(Pin::global_read_lock);
        }
        scan.advance();
    }
}

void classify_pinning(StatementScan& scan, Verb verb, Pin pin) {
    scan.begin(verb, Target::primary, Reason::write);
    scan.found.pins.add(pin);
    scan.scan_rest();
}

// Whatever user variable stands in it may be written to.
void classify_assigning(StatementScan& scan, Verb verb) {
    scan.begin(verb, Target::primary, Reason::write);
    scan.expect_assigned_variables();
    scan.scan_rest();
}

void classify_kill(StatementScan& scan) {
    scan.begin(Verb::kill, Target::primary, Reason::write);
    Kill& kill = scan.found.kill;
    kill = {.kind = Kill::Kind::connection};
    kill.is_soft = scan.is_word("soft");
    if (kill.is_soft || scan.is_word("hard")) {
        scan.advance();
    }
    if (!scan.skip_word("connection") && scan.skip_word("query")) {
        kill.kind = scan.skip_word("id") ? Kill::Kind::query_id : Kill::Kind::query;
    }
    if (scan.is_word("user")) {
        kill.kind = Kill::Kind::user;
    } else {
        const std::string_view number = scan.token().text;
        const auto [end, status] = std::from_chars(number.data(), number.data() + number.size(), kill.id);
        const bool is_number = scan.token().kind == TokenKind::number && status == std::errc{} &&
                               end == number.data() + number.size();
        const bool is_alone = scan.following().kind == TokenKind::end || scan.following().is_symbol(';');
        if (!is_number || !is_alone) {
            kill.kind = Kill::Kind::expression;
            kill.id = 0;
        }
    }
    scan.scan_rest();
}

}  // namespace

TableUse classify_show_kind(StatementScan& scan) {
    const std::string_view kind = scan.token().text;
    scan.skip_word("full");
    if (scan.is_word("warnings") || scan.is_word("errors") ||
        (scan.is_word("count") && scan.following().is_symbol('('))) {
        scan.promise(Target::same_connection_as_before, Reason::previous_result);
        scan.note_previous(PreviousValue::messages);
        scan.found.has_select = scan.found.has_select || scan.is_word("count");  // it is run as one
        scan.found.detail = kind;
        while (!scan.is_at_end()) {
            scan.advance();
        }
        return TableUse::none;
    }
    for (const std::string_view anywhere :
         {"tables",
          "columns",
          "fields",
          "index",
          "indexes",
          "keys",
          "databases",
          "schemas",
          "triggers",
          "collation",
          "character",
          "charset"}) {
        if (scan.skip_word(anywhere)) {
            return TableUse::some;
        }
    }
    if (scan.skip_word("create")) {
        const bool is_of_table = scan.is_word("table") || scan.is_word("view") || scan.is_word("sequence");
        for (const std::string_view anywhere :
             {"table", "view", "database", "schema", "procedure", "function", "trigger", "sequence", "package"
             }) {
            if (scan.is_word(anywhere)) {
                scan.advance();
                return is_of_table ? TableUse::some : TableUse::unclear;
            }
        }
    }
    scan.demote(Reason::server_list, scan.token().text, Harm::none);
    return TableUse::unclear;
}

void classify_transaction_words(StatementScan& scan, Verb verb) {
    TransactionEffect effect = verb == Verb::begin ? TransactionEffect::begin : TransactionEffect::end;
    bool is_negated = false;
    while (!scan.is_at_end()) {
        if (verb == Verb::begin && scan.is_word("only")) {
            effect = TransactionEffect::begin_read_only;
        } else if (verb == Verb::rollback && scan.is_word("to")) {
            effect = TransactionEffect::none;
        } else if (scan.is_word("chain") && !is_negated) {
            effect = TransactionEffect::end_and_chain;
        } else if (scan.is_word("release") && !is_negated) {
            effect = TransactionEffect::end_and_release;
        }
        is_negated = scan.is_word("no");
        scan.advance();
        if (effect == TransactionEffect::none) {
            scan.scan_rest();  // the savepoint's name
        }
    }
    scan.found.transaction = effect;
    if (effect == TransactionEffect::begin_read_only) {
        scan.promise(Target::read, Reason::read_only_transaction);
    }
}

bool classify_session_statement(StatementScan& scan, Word word) {
    switch (word) {
        case Word::create: classify_create(scan); return true;
        case Word::use: classify_use(scan); return true;
        case Word::lock: classify_lock(scan); return true;
        case Word::unlock: classify_unlock(scan); return true;
        case Word::backup: classify_backup(scan); return true;
        case Word::flush: classify_flush(scan); return true;
        case Word::kill: classify_kill(scan); return true;
        case Word::load: classify_assigning(scan, Verb::load); return true;
        case Word::call: classify_assigning(scan, Verb::call); return true;
        case Word::xa: classify_pinning(scan, Verb::xa, Pin::xa); return true;
        case Word::prepare: classify_pinning(scan, Verb::prepare, Pin::prepared_text); return true;
        case Word::execute: classify_pinning(scan, Verb::prepare, Pin::prepared_text); return true;
        case Word::handler: classify_pinning(scan, Verb::handler, Pin::handler); return true;
        case Word::deallocate:
            scan.begin(Verb::prepare, Target::primary, Reason::write);
            scan.scan_rest();
            return true;
        case Word::help:
            scan.begin(Verb::describe, Target::primary, Reason::write);
            scan.promise(Target::primary, Reason::server_list);
            scan.scan_rest();
            return true;
        case Word::get:
            classify_assigning(scan, Verb::diagnose);
            scan.note_previous(PreviousValue::messages);
            scan.note_previous(PreviousValue::row_count);
            scan.promise(Target::same_connection_as_before, Reason::previous_result);
            return true;
        default: return false;
    }
}

void scan_whole_text(StatementScan& scan) {
    scan.expect_assigned_variables();
    scan.scan_rest();
    while (scan.token().is_symbol(';')) {
        scan.advance();
        scan.scan_rest();
    }
}

bool may_hide_effects(std::string_view text) {
    // Bytes of a character never make a whole word of these, so no word is missed; some are found for
    // nothing.
    for (const std::string_view sign :
         {"@",
          ";",
          "lock",
          "next",
          "found_rows",
          "insert_id",
          "temporary",
          "prepare",
          "execute",
          "handler",
          "set ",
          "setval",
          "xa ",
          "call",
          "use "}) {
        const auto place = std::ranges::search(text, sign, [](char left, char right) {
            return (left >= 'A' && left <= 'Z' ? static_cast<char>(left + ('a' - 'A')) : left) == right;
        });
        if (!place.empty()) {
            return true;
        }
    }
    return false;
}

}  // namespace sql
