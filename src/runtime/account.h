// Users of the system, and how a process becomes one.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace runtime {

struct Account {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home;

    friend bool operator==(const Account&, const Account&) = default;
};

// The one with all rights.
[[nodiscard]] inline Account root_account() { return {.name = "root", .uid = 0, .gid = 0, .home = "/root"}; }

// From the system's user database, which may block: at the start only. None: it knows no such user.
[[nodiscard]] std::optional<Account> account_named(const std::string& name);
[[nodiscard]] std::optional<Account> account_numbered(uid_t uid);

// The process becomes `account` for good: its groups, real, effective and saved ids. 0 or a positive errno;
// after an error it may be half of both and should end. Capabilities are another matter: see privileges.h.
[[nodiscard]] int become_account(const Account& account);

}  // namespace runtime
