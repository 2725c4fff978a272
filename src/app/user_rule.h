// Whom the site's program runs as: never root by accident.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/result.h"

namespace app {

// A user of the system.
struct Account {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home;

    friend bool operator==(const Account&, const Account&) = default;
};

struct UserFacts {
    Account self;                       // whom we run as
    std::string wanted;                 // [app] user; empty: not given
    std::optional<Account> configured;  // what `wanted` is, if the system knows it
    std::optional<Account> file_owner;  // of the configuration file, if the system knows them
    std::optional<Account> trilith;     // the system user of that name, if there is one
};

// The account to change to, or none: the program runs as we do. As root: `wanted`, else the owner of the
// configuration file unless that is root, else the user `trilith`, else an error with its cure. Not as root:
// nobody is changed, and `wanted` must be oneself.
[[nodiscard]] core::Result<std::optional<Account>> choose_user(const UserFacts& facts);

// The same after looking the accounts up, which may block on the system's user database: once, at the start.
[[nodiscard]] core::Result<std::optional<Account>> find_user(
    const std::string& wanted,
    const std::string& configuration_file
);

}  // namespace app
