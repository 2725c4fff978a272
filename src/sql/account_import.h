// Reads the accounts of a server over the router's own connection.
#pragma once

#include "sql/account_list.h"
#include "sql/node_probe.h"

namespace sql {

// The router's account needs SELECT on mysql.global_priv. An error's sentence says what is missing;
// `cancelled` where our fiber is asked to stop.
[[nodiscard]] runtime::Task<core::Result<AccountList>> import_accounts(
    NodeProbe& probe,
    const LoginAccount& account,
    core::Instant deadline
);

}  // namespace sql
