// What a Database is made of, and how it logs in: immutable while it is used.
#pragma once

#include <trilith/database.h>

#include <optional>
#include <string>

#include "core/result.h"
#include "mariadb/database_url.h"
#include "mysql/native_password.h"

namespace trilith::sdk {

struct DatabaseSettings {
    explicit DatabaseSettings(DatabaseOptions chosen);

    DatabaseOptions options;
    mariadb::DatabaseUrl url{};
    std::optional<mysql::PasswordKey> key{};  // none: no password
    std::string problem{};                    // one sentence where it cannot be used
    std::optional<size_t> place{};            // among the databases of its App; none: of none
};

}  // namespace trilith::sdk
