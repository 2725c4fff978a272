#include "node/verbs/explain_command.h"

#include <format>
#include <string>
#include <vector>

#include "core/joined.h"
#include "core/json_text.h"
#include "core/units.h"
#include "sql/assignment_reader.h"
#include "sql/statement_class.h"

namespace node {

namespace {

std::vector<std::string_view> pin_names(const sql::PinSet& pins) {
    std::vector<std::string_view> names;
    for (size_t index = 0; index < sql::kPinCount; ++index) {
        const auto pin = static_cast<sql::Pin>(index);
        if (pins.has(pin)) {
            names.push_back(sql::pin_name(pin));
        }
    }
    return names;
}

std::string json_string(std::string_view text) {
    std::string target;
    core::append_json_string(target, text);
    return target;
}

std::string json_list(const std::vector<std::string_view>& names) {
    std::string text;
    for (const std::string_view name : names) {
        text += (text.empty() ? "" : ",") + json_string(name);
    }
    return "[" + text + "]";
}

// What SET says that the router carries: names with their values as written.
std::vector<sql::Assignment> carried(const ExplainOptions& options, const mysql::TokenSettings& settings) {
    std::vector<sql::Assignment> found;
    sql::AssignmentReader reader(options.sql, settings);
    while (const auto assignment = reader.next()) {
        if (assignment->is_literal && assignment->kind != sql::AssignmentKind::global_variable &&
            !reader.is_for_one_statement()) {
            found.push_back(*assignment);
        }
    }
    return found;
}

std::string shown_name(const sql::Assignment& assignment) {
    switch (assignment.kind) {
        case sql::AssignmentKind::user_variable: return "@" + std::string(assignment.name);
        case sql::AssignmentKind::names: return "NAMES";
        case sql::AssignmentKind::character_set: return "CHARACTER SET";
        default: return std::string(assignment.name);
    }
}

std::string as_json(const sql::StatementClass& statement, const std::vector<sql::Assignment>& assignments) {
    std::string sets;
    for (const sql::Assignment& assignment : assignments) {
        sets += (sets.empty() ? "" : ",") + json_string(shown_name(assignment)) + ":" +
                json_string(assignment.value);
    }
    std::string text = std::format(
        R"({{"target":{},"verb":{},"reason":{},)",
        json_string(target_name(statement.target)),
        json_string(verb_name(statement.verb)),
        json_string(reason_sentence(statement))
    );
    text += std::format(
        R"("effects":{{"transaction":{},"pins":{},"releases":{},"schema":{},"sets":{{{}}},)",
        json_string(transaction_effect_name(statement.transaction)),
        json_list(pin_names(statement.pins)),
        json_list(pin_names(statement.releases)),
        json_string(statement.schema),
        sets
    );
    text += std::format(
        R"("reads_user_variables":{},"reads_previous_result":{}}},"multi_statement":{},"repeatable":{}}})",
        statement.reads_user_variables,
        statement.reads_previous_result,
        statement.is_multi_statement,
        statement.is_repeatable
    );
    return text + "\n";
}

std::string as_text(const sql::StatementClass& statement, const std::vector<sql::Assignment>& assignments) {
    std::string text = std::format(
        "target       {}\nreason       {}\nverb         {}\n",
        target_name(statement.target),
        reason_sentence(statement),
        verb_name(statement.verb)
    );
    if (statement.transaction != sql::TransactionEffect::none) {
        text += std::format("transaction  {}\n", transaction_effect_name(statement.transaction));
    }
    if (!statement.pins.is_empty()) {
        text += std::format("pins         {}\n", core::joined(pin_names(statement.pins)));
    }
    if (!statement.releases.is_empty()) {
        text += std::format("releases     {}\n", core::joined(pin_names(statement.releases)));
    }
    if (!statement.schema.empty()) {
        text += std::format("schema       {}\n", statement.schema);
    }
    for (const sql::Assignment& assignment : assignments) {
        text += std::format("sets         {} = {}\n", shown_name(assignment), assignment.value);
    }
    if (statement.hint.has_max_lag) {
        text += std::format("max lag      {}\n", core::format_duration(statement.hint.max_lag));
    }
    return text;
}

}  // namespace

int explain(const ExplainOptions& options, Console& console) {
    const mysql::TokenSettings settings{
        .has_backslash_escapes = options.has_backslash_escapes,
        .has_ansi_quotes = options.has_ansi_quotes,
    };
    const sql::StatementClass statement = sql::classify(options.sql, settings);
    const std::vector<sql::Assignment> assignments = carried(options, settings);
    console.out(
        options.format == OutputFormat::json ? as_json(statement, assignments)
                                             : as_text(statement, assignments)
    );
    return 0;
}

}  // namespace node
