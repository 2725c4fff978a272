// Names and sentences: for metrics, `status` and `trilith explain`.
#include <format>

#include "sql/statement_class.h"

namespace sql {

std::string_view verb_name(Verb verb) {
    switch (verb) {
        case Verb::other: return "other";
        case Verb::select: return "select";
        case Verb::insert: return "insert";
        case Verb::update: return "update";
        case Verb::delete_: return "delete";
        case Verb::replace: return "replace";
        case Verb::load: return "load";
        case Verb::call: return "call";
        case Verb::do_: return "do";
        case Verb::begin: return "begin";
        case Verb::commit: return "commit";
        case Verb::rollback: return "rollback";
        case Verb::savepoint: return "savepoint";
        case Verb::xa: return "xa";
        case Verb::set: return "set";
        case Verb::use: return "use";
        case Verb::show: return "show";
        case Verb::describe: return "describe";
        case Verb::analyze: return "analyze";
        case Verb::create: return "create";
        case Verb::alter: return "alter";
        case Verb::drop: return "drop";
        case Verb::truncate: return "truncate";
        case Verb::rename: return "rename";
        case Verb::grant: return "grant";
        case Verb::lock: return "lock";
        case Verb::flush: return "flush";
        case Verb::prepare: return "prepare";
        case Verb::handler: return "handler";
        case Verb::kill: return "kill";
        case Verb::maintain: return "maintain";
        case Verb::diagnose: return "diagnose";
        case Verb::admin: return "admin";
        case Verb::compound: return "compound";
    }
    return "other";
}

std::string_view target_name(Target target) {
    switch (target) {
        case Target::read: return "read";
        case Target::primary: return "primary";
        case Target::same_connection_as_before: return "same_connection_as_before";
        case Target::session: return "session";
    }
    return "primary";
}

std::string_view transaction_effect_name(TransactionEffect effect) {
    switch (effect) {
        case TransactionEffect::none: return "none";
        case TransactionEffect::begin: return "begin";
        case TransactionEffect::begin_read_only: return "begin_read_only";
        case TransactionEffect::end: return "end";
        case TransactionEffect::end_and_chain: return "end_and_chain";
        case TransactionEffect::end_and_release: return "end_and_release";
        case TransactionEffect::next_read_only: return "next_read_only";
        case TransactionEffect::next_other: return "next_other";
        case TransactionEffect::autocommit_off: return "autocommit_off";
        case TransactionEffect::autocommit_on: return "autocommit_on";
    }
    return "none";
}

std::string_view pin_name(Pin pin) {
    switch (pin) {
        case Pin::temporary_table: return "temporary_table";
        case Pin::user_variable: return "user_variable";
        case Pin::named_lock: return "named_lock";
        case Pin::table_lock: return "table_lock";
        case Pin::global_read_lock: return "global_read_lock";
        case Pin::backup_lock: return "backup_lock";
        case Pin::handler: return "handler";
        case Pin::prepared_text: return "prepared_text";
        case Pin::xa: return "xa";
        case Pin::sequence: return "sequence";
        case Pin::computed_variable: return "computed_variable";
        case Pin::unknown_variable: return "unknown_variable";
        case Pin::session_tracking: return "session_tracking";
        case Pin::role: return "role";
        case Pin::found_rows: return "found_rows";
        case Pin::last_insert_id: return "last_insert_id";
        case Pin::connection_id: return "connection_id";
        case Pin::unclear_text: return "unclear_text";
    }
    return "unclear_text";
}

namespace {

// The part of the sentence that needs no word of the text.
std::string_view plain_reason(Reason reason) {
    switch (reason) {
        case Reason::pure_read: return "it only reads, and every function in it is known to be pure";
        case Reason::read_only_transaction: return "a transaction that only reads can run on one replica";
        case Reason::changes_session_only: return "it only changes what follows the session to every server";
        case Reason::write: return "it changes something, or may";
        case Reason::empty: return "there is no statement in it";
        case Reason::unclear_text: return "it has no end, or cannot be cut into words beyond doubt";
        case Reason::only_beginning: return "only its beginning was looked at";
        case Reason::multi_statement: return "it is more than one statement";
        case Reason::hint_primary: return "its comment asks for the primary";
        case Reason::locks_rows: return "it locks the rows that it reads";
        case Reason::into: return "INTO writes a file or variables";
        case Reason::procedure: return "it has a PROCEDURE clause";
        case Reason::assigns: return "it changes the session while it runs";
        case Reason::uses_sequence: return "it draws from a sequence";
        case Reason::transaction: return "transactions run on the primary";
        case Reason::explains_write: return "what it explains is a write";
        default: return "it is not known to be a read";
    }
}

}  // namespace

std::string reason_sentence(const StatementClass& statement) {
    const std::string_view word = statement.detail;
    switch (statement.reason) {
        case Reason::unknown_statement: return std::format("\"{}\" begins no statement that is known", word);
        case Reason::unknown_function: return std::format("{} is not known to be a pure function", word);
        case Reason::stored_function:
            return std::format("{} is a stored function, and may change something", word);
        case Reason::blank_before_call:
            return std::format("{} with a blank before \"(\" may be a stored function", word);
        case Reason::uses_user_variable: return std::format("it depends on a user variable ({})", word);
        case Reason::named_lock: return std::format("{} is about locks that the primary keeps", word);
        case Reason::previous_result:
            return std::format("{} tells of the statement before, on its connection", word);
        case Reason::server_function: return std::format("{} differs from server to server", word);
        case Reason::server_variable:
            return std::format("the variable {} may differ from server to server", word);
        case Reason::server_schema: return std::format("the tables of {} belong to one server", word);
        case Reason::server_list: return std::format("{} tells of one server", word);
        case Reason::sets_variable:
            return word.empty() ? "a server has to be told"
                                : std::format("a server has to work out or judge the value of {}", word);
        default: return std::string(plain_reason(statement.reason));
    }
}

bool is_server_schema(std::string_view name) {
    for (const std::string_view schema : {"information_schema", "performance_schema", "mysql", "sys"}) {
        if (mysql::equals_ignoring_case(name, schema)) {
            return true;
        }
    }
    return false;
}

}  // namespace sql
