// The programs of MariaDB on this machine.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace cluster {

// PATH, and behind it where distributions put servers: for look-ups and for what is started.
[[nodiscard]] std::string search_path();

// The whole path of a program. not_found says how to install it.
[[nodiscard]] core::Result<std::string> find_program(std::string_view name);

// `text`: what `mariadbd --version` says. unsupported: it is older than 10.11, no MariaDB, or unreadable.
[[nodiscard]] core::Result<void> check_mariadbd_version(std::string_view text);

}  // namespace cluster
