#include "sql/statement_effects.h"

#include <algorithm>
#include <optional>

#include "sql/assignment_reader.h"

namespace sql {

namespace {

std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](char byte) {
        return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + ('a' - 'A')) : byte;
    });
    return lower;
}

std::string quoted_name(std::string_view name) {
    std::string quoted = "`";
    for (const char byte : name) {
        quoted += byte;
        if (byte == '`') {
            quoted += byte;
        }
    }
    return quoted + "`";
}

std::string statement_of(const Assignment& assignment) {
    std::string value(assignment.value);
    switch (assignment.kind) {
        case AssignmentKind::user_variable: return "SET @" + quoted_name(assignment.name) + " = " + value;
        case AssignmentKind::names:
            return "SET NAMES " + value +
                   (assignment.collation.empty() ? "" : " COLLATE " + std::string(assignment.collation));
        case AssignmentKind::character_set: return "SET CHARACTER SET " + value;
        default: return "SET SESSION " + std::string(assignment.name) + " = " + value;
    }
}

std::optional<StateEntry::Kind> kind_of(const Assignment& assignment) {
    switch (assignment.kind) {
        case AssignmentKind::system_variable:
            // autocommit is carried by the status of the session.
            return assignment.care == VariableCare::carried || assignment.care == VariableCare::reported
                       ? std::optional(StateEntry::Kind::system_variable)
                       : std::nullopt;
        case AssignmentKind::user_variable: return StateEntry::Kind::user_variable;
        case AssignmentKind::names: return StateEntry::Kind::names;
        case AssignmentKind::character_set: return StateEntry::Kind::character_set;
        default: return std::nullopt;
    }
}

StatementEffects effects_of_class(const StatementClass& statement) {
    StatementEffects effects{
        .verb = statement.verb,
        .transaction = statement.transaction,
        .pins = statement.pins,
        .releases = statement.releases,
        .is_read = statement.is_repeatable,
    };
    // Whoever asks for the rows that were found goes to the connection of the statement before anyway.
    effects.counts_found_rows = effects.pins.has(Pin::found_rows);
    effects.pins.remove(PinSet::of(Pin::found_rows));
    effects.has_select = statement.has_select || statement.reason == Reason::only_beginning;
    effects.tables = statement.tables;
    effects.tells_found_rows = statement.verb == Verb::select && statement.has_select &&
                               statement.is_repeatable && !statement.is_multi_statement &&
                               !statement.limits_rows;
    // Not all that a procedure or a stored function does is reported: MariaDB 10.11 says nothing of a lock
    // that it takes, nor of CREATE TEMPORARY TABLE … SELECT in it.
    bool runs_unseen = statement.verb == Verb::call || statement.reason == Reason::stored_function ||
                       statement.reason == Reason::unknown_function ||
                       statement.reason == Reason::blank_before_call;
    if (runs_unseen) {
        effects.pins.add(Pin::unclear_text);
    }
    return effects;
}

}  // namespace

StatementEffects effects_of(
    std::string_view text,
    const StatementClass& statement,
    const mysql::TokenSettings& settings
) {
    StatementEffects effects = effects_of_class(statement);
    if (statement.verb != Verb::set || statement.is_multi_statement) {
        return effects;
    }
    AssignmentReader reader(text, settings);
    size_t assignments = 0;
    while (auto assignment = reader.next()) {
        ++assignments;
        auto kind = kind_of(*assignment);
        if (kind && assignment->is_literal && !reader.is_for_one_statement()) {
            effects.entries.push_back({
                .kind = *kind,
                .name = lower_case(assignment->name),
                .statement = statement_of(*assignment),
            });
        }
    }
    effects.is_session_set =
        assignments > 0 && effects.entries.size() == assignments && effects.pins.is_empty();
    return effects;
}

StatementEffects prepared_effects_of(const StatementClass& statement) {
    StatementEffects effects = effects_of_class(statement);
    if (statement.verb == Verb::set) {
        effects.pins.add(Pin::computed_variable);
    }
    return effects;
}

}  // namespace sql
