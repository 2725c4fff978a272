// The accounts of the primary, as its mysql.global_priv has them, and what the server would say to a login.
// Pure: rows in, verdicts out. A list is made whole and never changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "mysql/native_password.h"
#include "net/address.h"
#include "sql/host_pattern.h"

namespace sql {

// One way in that an account has. An account may have several (auth_or): the first that fits lets in.
struct AccountWay {
    enum class Kind : uint8_t {
        password,     // mysql_native_password with `hash`
        no_password,  // mysql_native_password without one: only the empty answer is right
        closed,       // a hash that no password has ("invalid"): nobody gets in by it
        other,        // `plugin` is one that the router cannot check
    };

    Kind kind = Kind::closed;
    mysql::Sha1 hash{};    // of `password`
    std::string plugin{};  // of `other`: "ed25519", "unix_socket", "pam" …

    friend bool operator==(const AccountWay&, const AccountWay&) = default;
};

struct Account {
    std::string user{};  // "" is the anonymous user
    std::string host{};  // the pattern as it was given: "%", "10.0.%", "10.0.0.0/255.255.255.0", "localhost"
    std::vector<AccountWay> ways{};
    bool is_locked = false;
    bool needs_tls = false;        // REQUIRE SSL, X509 or SUBJECT/ISSUER/CIPHER
    bool is_expired = false;       // logs in, and the server then refuses all but SET PASSWORD
    uint32_t connections_max = 0;  // max_user_connections; 0 is no limit. The server keeps it, not we.

    // "'app'@'10.0.%'"
    [[nodiscard]] std::string name() const;

    friend bool operator==(const Account&, const Account&) = default;
};

// One row of SELECT Host, User, Priv FROM mysql.global_priv.
struct AccountRow {
    std::string_view host{};
    std::string_view user{};
    std::string_view privileges{};  // the JSON
};

// What a client sent to log in.
struct LoginAttempt {
    std::string_view user{};
    std::string_view answer{};  // to `nonce`, by mysql_native_password; "" is "no password"
    mysql::Nonce nonce{};
    net::Address from{};  // where the client is; a unix socket counts as "localhost"
};

// With `error` 0 the login is right. `account` points into the list.
struct LoginVerdict {
    uint16_t error = 0;                // 1045, 4151; write it with mysql::sqlstate_of()
    std::string message{};             // as the server words it; "trilith: …" where the router is the reason
    const Account* account = nullptr;  // also with an error, where one was found. For logs, never for clients
    std::optional<mysql::PasswordKey> key{};  // nothing: the account has no password

    [[nodiscard]] bool is_accepted() const { return error == 0; }
};

class AccountList {
public:
    static constexpr size_t kAccountsMax = 100'000;

    AccountList() = default;

    // Roles are left out. A row whose JSON is malformed, or whose hash is, becomes a closed account: it may
    // not let a less specific one take its place. Fails with `too_large` for more than kAccountsMax rows.
    [[nodiscard]] static core::Result<AccountList> read(
        const std::vector<AccountRow>& rows,
        LoopbackName loopback
    );

    // The account that the server would take for a login, null if none: of this user the most specific host
    // that fits, or an anonymous account whose host is more specific still. Hosts are compared with the
    // address; names are not looked up. (MariaDB 10.11, sql_acl.cc: find_user_or_anon.)
    [[nodiscard]] const Account* find(std::string_view user, const net::Address& from) const;

    // What the server would answer. A wrong user and a wrong password get the same message, and take the same
    // steps.
    [[nodiscard]] LoginVerdict check(const LoginAttempt& attempt) const;

    // By user, and then in the order in which the server tries them: most specific first.
    [[nodiscard]] const std::vector<Account>& accounts() const { return accounts_; }

    friend bool operator==(const AccountList&, const AccountList&) = default;

private:
    [[nodiscard]] const Account* find_of(std::string_view user, const ClientHost& host) const;

    std::vector<Account> accounts_;
    LoopbackName loopback_ = LoopbackName::localhost;
};

}  // namespace sql
