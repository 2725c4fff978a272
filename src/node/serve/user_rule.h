// Whom a server goes on as after its start, and whom the site's program runs as: never root by accident.
#pragma once

#include <optional>
#include <string>

#include "core/result.h"
#include "node/config/config.h"
#include "runtime/account.h"

namespace node {

using runtime::Account;

struct UserFacts {
    Account self;                       // who starts us
    std::string wanted;                 // the key `user`; empty: not written
    std::optional<Account> configured;  // what `wanted` is, if the system knows it
    std::string program_wanted;         // the key app.user; empty: not written, or no program runs here
    std::optional<Account> program_configured;
    std::optional<Account> file_owner;  // of the configuration file, if the system knows them
    std::optional<Account> trilith;     // the system user of that name, if there is one
    std::optional<Account> nobody;      // the same
    bool is_file_roots = true;          // it belongs to root, and nobody else may write to it
};

struct Users {
    std::optional<Account> server;   // whom the server becomes; none: it stays who it is
    std::optional<Account> program;  // whom the program runs as; none: as who starts us
    std::string warning;             // a sentence with the cure; empty: none

    // Whether the server, once it is somebody else, starts the program as yet another one.
    [[nodiscard]] bool are_two() const { return server && program && server->uid != program->uid; }

    friend bool operator==(const Users&, const Users&) = default;
};

// The server, as root: `user`, else the owner of the configuration file unless that is root, else the user
// `trilith`, else `nobody` with a warning. The program: app.user, else as the server. A file that is not
// root's alone cannot name root. Not as root: nobody is changed, and what is written must be oneself. See
// docs/decisions/0013-serving-without-root.md.
[[nodiscard]] core::Result<Users> choose_users(const UserFacts& facts);

// The same after looking the accounts up, which may block on the system's user database: once, at the start.
[[nodiscard]] core::Result<Users> find_users(const Config& config);

}  // namespace node
