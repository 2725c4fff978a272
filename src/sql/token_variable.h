// @trilith_token, by which the position of a client's last write goes from one of its connections to another.
// Pure.
#pragma once

#include <optional>
#include <string_view>

#include "mysql/gtid.h"
#include "sql/statement_effects.h"

namespace sql {

inline constexpr std::string_view kTokenVariable = "trilith_token";
// What SET says of it: empty for NULL and ''; nothing where it is no GTID position between quotes.
[[nodiscard]] std::optional<mysql::GtidPosition> token_of(const StateEntry& entry);
[[nodiscard]] bool sets_token(const StateEntry& entry);
// It sets the token, and does nothing else.
[[nodiscard]] bool is_token_alone(const StatementEffects& effects);
// Why it cannot be read: for the client.
inline constexpr std::string_view kTokenUnknown =
    "trilith: @trilith_token is not known after a statement that failed: write, or connect, anew";
// Whether the text may have the variable's name in it.
[[nodiscard]] bool mentions_token(std::string_view text);

}  // namespace sql
