// One row of mysql.global_priv as an account (MariaDB KB: mysql.global_priv Table).
#pragma once

#include <optional>

#include "sql/account_list.h"

namespace sql {

// Nothing for a role. An account whose JSON is malformed has no way in.
[[nodiscard]] std::optional<Account> read_account_row(const AccountRow& row);

}  // namespace sql
