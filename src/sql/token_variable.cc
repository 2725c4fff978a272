#include "sql/token_variable.h"

#include <algorithm>

namespace sql {

bool sets_token(const StateEntry& entry) {
    return entry.kind == StateEntry::Kind::user_variable && entry.name == kTokenVariable;
}

bool is_token_alone(const StatementEffects& effects) {
    return effects.is_session_set && std::ranges::all_of(effects.entries, sets_token);
}

std::optional<mysql::GtidPosition> token_of(const StateEntry& entry) {
    std::string_view value = std::string_view(entry.statement).substr(entry.statement.find('=') + 1);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    if (value == "NULL" || value == "null") {
        return mysql::GtidPosition{};
    }
    bool is_quoted =
        value.size() >= 2 && (value.front() == '\'' || value.front() == '"') && value.back() == value.front();
    return is_quoted ? mysql::GtidPosition::read(value.substr(1, value.size() - 2)) : std::nullopt;
}

bool mentions_token(std::string_view text) {
    auto is_same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    return !std::ranges::search(text, kTokenVariable, is_same).empty();
}

}  // namespace sql
