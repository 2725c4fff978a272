// A connection of a drill to the database, as the site's own program has it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "mariadb/database_url.h"
#include "mariadb/server_connection.h"
#include "mariadb/server_failure.h"

namespace drill {

using Connection = std::unique_ptr<mariadb::ServerConnection>;

// Where statements go, and by what they log in.
struct DatabasePlace {
    explicit DatabasePlace(mariadb::DatabaseUrl where);

    mariadb::DatabaseUrl url;
    std::optional<mysql::PasswordKey> key{};  // none: no password
};

// `place` lives until it has ended.
[[nodiscard]] runtime::Task<mariadb::ServerResult<Connection>> open_connection(
    runtime::Reactor& reactor,
    net::SharedReadBuffer& shared,
    const DatabasePlace& place,
    core::Instant deadline
);

}  // namespace drill
