// What a Database is made of, and how it logs in: immutable while it is used.
#pragma once

#include <trilith/database.h>

#include <optional>
#include <string>

#include "core/result.h"
#include "mysql/native_password.h"
#include "sdk/database_url.h"

namespace trilith::sdk {

struct DatabaseSettings {
    explicit DatabaseSettings(DatabaseOptions chosen);

    DatabaseOptions options;
    DatabaseUrl url{};
    std::optional<mysql::PasswordKey> key{};  // none: no password
    std::string problem{};                    // one sentence where it cannot be used
    std::optional<size_t> place{};            // among the databases of its App; none: of none
};

}  // namespace trilith::sdk
