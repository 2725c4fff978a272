#include "sql/account_list.h"

#include <algorithm>
#include <format>

#include "mysql/capabilities.h"
#include "sql/account_row.h"

namespace sql {

namespace {

// The order of acl_users: by user, most specific host first, ties by host descending.
struct Standing {
    uint64_t generality = 0;
    Account account{};
};

bool stands_before(const Standing& a, const Standing& b) {
    if (a.account.user != b.account.user) {
        return a.account.user < b.account.user;
    }
    if (a.generality != b.generality) {
        return a.generality < b.generality;
    }
    return a.account.host > b.account.host;
}

LoginVerdict denied(const LoginAttempt& attempt, const ClientHost& host, const Account* account) {
    return {
        .error = mysql::kErrorAccessDenied,
        .message = std::format(
            "Access denied for user '{}'@'{}' (using password: {})",
            attempt.user,
            host.shown(),
            attempt.answer.empty() ? "NO" : "YES"
        ),
        .account = account,
    };
}

// A way in that the answer is right for; the key of its password is put into `verdict`.
bool lets_in(const AccountWay& way, const LoginAttempt& attempt, LoginVerdict& verdict) {
    switch (way.kind) {
        case AccountWay::Kind::password:
            verdict.key = mysql::check_answer(attempt.answer, attempt.nonce, way.hash);
            return verdict.key.has_value();
        case AccountWay::Kind::no_password: return attempt.answer.empty();
        case AccountWay::Kind::closed:
        case AccountWay::Kind::other: return false;
    }
    return false;
}

std::string cannot_be_checked(const Account& account) {
    return std::format(
        "trilith: {} is checked by the plugin {}, which the router cannot do; give it a password of "
        "mysql_native_password besides: ALTER USER {} IDENTIFIED VIA {} … OR mysql_native_password USING "
        "PASSWORD('…')",
        account.name(),
        account.ways.front().plugin,
        account.name(),
        account.ways.front().plugin
    );
}

}  // namespace

std::string Account::name() const { return std::format("'{}'@'{}'", user, host); }

core::Result<AccountList> AccountList::read(const std::vector<AccountRow>& rows, LoopbackName loopback) {
    if (rows.size() > kAccountsMax) {
        return core::fail(
            core::ErrorKind::too_large,
            std::format("mysql.global_priv has {} rows, more than {}", rows.size(), kAccountsMax)
        );
    }
    std::vector<Standing> places;
    places.reserve(rows.size());
    for (const AccountRow& row : rows) {
        if (std::optional<Account> account = read_account_row(row)) {
            uint64_t generality = host_generality(account->host);
            places.push_back({.generality = generality, .account = std::move(*account)});
        }
    }
    std::ranges::sort(places, stands_before);
    AccountList list;
    list.loopback_ = loopback;
    list.accounts_.reserve(places.size());
    for (Standing& place : places) {
        list.accounts_.push_back(std::move(place.account));
    }
    return list;
}

const Account* AccountList::find_of(std::string_view user, const ClientHost& host) const {
    auto same_user = std::ranges::equal_range(accounts_, user, {}, [](const Account& account) {
        return std::string_view(account.user);
    });
    for (const Account& account : same_user) {
        if (host_matches(account.host, host)) {
            return &account;
        }
    }
    return nullptr;
}

const Account* AccountList::find(std::string_view user, const net::Address& from) const {
    ClientHost host = client_host(from, loopback_);
    const Account* named = find_of(user, host);
    const Account* anonymous = user.empty() ? nullptr : find_of("", host);
    if (named == nullptr || anonymous == nullptr) {
        return named != nullptr ? named : anonymous;
    }
    return host_generality(anonymous->host) < host_generality(named->host) ? anonymous : named;
}

LoginVerdict AccountList::check(const LoginAttempt& attempt) const {
    ClientHost host = client_host(attempt.from, loopback_);
    const Account* account = find(attempt.user, attempt.from);
    if (account == nullptr) {
        // As much work as for an account that exists.
        [[maybe_unused]] auto key = mysql::check_answer(attempt.answer, attempt.nonce, mysql::Sha1{});
        return denied(attempt, host, nullptr);
    }
    LoginVerdict verdict{.account = account};
    bool is_let_in = std::ranges::any_of(account->ways, [&](const AccountWay& way) {
        return lets_in(way, attempt, verdict);
    });
    if (!is_let_in) {
        bool is_unknown =
            !account->ways.empty() && std::ranges::all_of(account->ways, [](const AccountWay& way) {
            return way.kind == AccountWay::Kind::other;
        });
        verdict = denied(attempt, host, account);
        if (is_unknown) {
            verdict.message = cannot_be_checked(*account);
        }
        return verdict;
    }
    if (account->needs_tls) {
        verdict = denied(attempt, host, account);
        verdict.message = std::format(
            "trilith: {} requires TLS, which the router does not speak; ALTER USER {} REQUIRE NONE, or "
            "connect "
            "to the database itself",
            account->name(),
            account->name()
        );
        return verdict;
    }
    if (account->is_locked) {
        verdict = denied(attempt, host, account);
        verdict.error = mysql::kErrorAccountLocked;
        verdict.message = "Access denied, this account is locked";
    }
    return verdict;
}

}  // namespace sql
