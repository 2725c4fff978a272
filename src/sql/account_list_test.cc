// What the list says to logins, beyond what a server was asked (account_cases_test.cc).
#include "sql/account_list.h"

#include <doctest/doctest.h>

#include "mysql/capabilities.h"
#include "sql/account_list_samples.h"

using sql::AccountList;
using sql::AccountRow;
using sql::AccountWay;
using sql::address_of;
using sql::LoginVerdict;
using sql::LoopbackName;
using sql::verdict_of;

namespace {

constexpr std::string_view kRightHash = "*C99F0659B9C335099C757367D3D51CFA786E555C";  // of "named"

AccountList one(std::string_view privileges) {
    return *AccountList::read({{.host = "%", .user = "u", .privileges = privileges}}, LoopbackName::address);
}

}  // namespace

TEST_CASE("the key of an accepted login is the password's") {
    AccountList list = one(R"({"authentication_string":")" + std::string(kRightHash) + R"("})");
    LoginVerdict verdict = verdict_of(list, "u", "10.0.0.1", "named");
    REQUIRE(verdict.key.has_value());
    CHECK(verdict.key->bytes() == mysql::password_key("named").bytes());
}

TEST_CASE("a wrong user and a wrong password get the same message") {
    AccountList list = one(R"({"authentication_string":")" + std::string(kRightHash) + R"("})");
    CHECK(
        verdict_of(list, "u", "10.0.0.1", "wrong").message ==
        "Access denied for user 'u'@'10.0.0.1' (using password: YES)"
    );
    CHECK(
        verdict_of(list, "v", "10.0.0.1", "wrong").message ==
        "Access denied for user 'v'@'10.0.0.1' (using password: YES)"
    );
    CHECK(
        verdict_of(list, "v", "unix", "").message ==
        "Access denied for user 'v'@'localhost' (using password: NO)"
    );
}

TEST_CASE("a plugin that the router cannot check is named, with the cure") {
    for (std::string plugin : {"ed25519", "unix_socket", "pam", "mysql_old_password"}) {
        AccountList list = one(R"({"plugin":")" + plugin + R"(","authentication_string":"x"})");
        LoginVerdict verdict = verdict_of(list, "u", "10.0.0.1", "x");
        CHECK(verdict.error == mysql::kErrorAccessDenied);
        CHECK(verdict.message.starts_with("trilith: 'u'@'%' is checked by the plugin " + plugin + ","));
        CHECK(verdict.message.contains("ALTER USER 'u'@'%' IDENTIFIED VIA " + plugin));
        CHECK(verdict.message.size() <= 512);
    }
}

TEST_CASE("that an account requires TLS is told only to who has its password") {
    AccountList list = one(R"({"authentication_string":")" + std::string(kRightHash) + R"(","ssl_type":1})");
    CHECK(verdict_of(list, "u", "10.0.0.1", "named").message.starts_with("trilith: 'u'@'%' requires TLS"));
    CHECK(verdict_of(list, "u", "10.0.0.1", "wrong").message.starts_with("Access denied"));
}

TEST_CASE("malformed privileges close the account, and let no less specific one take its place") {
    constexpr std::string_view kMalformed[] = {
        "",
        "{",
        "[]",
        "null",
        "17",
        R"({"authentication_string":"*12"})",
        R"({"auth_or":[]})",
        R"({"authentication_string":"*THISISNOTAVALIDPASSWORDTHATCANBEUSEDHERE"})",
    };
    for (std::string_view malformed : kMalformed) {
        INFO(malformed);
        AccountList list = *AccountList::read(
            {{.host = "10.0.0.1", .user = "u", .privileges = malformed},
             {.host = "%", .user = "u", .privileges = R"({"authentication_string":""})"}},
            LoopbackName::address
        );
        REQUIRE(list.accounts().size() == 2);
        CHECK(verdict_of(list, "u", "10.0.0.2", "").is_accepted());
        CHECK(verdict_of(list, "u", "10.0.0.1", "").error == mysql::kErrorAccessDenied);
        CHECK(verdict_of(list, "u", "10.0.0.1", "x").error == mysql::kErrorAccessDenied);
    }
}

TEST_CASE("fields of other types than theirs do not count") {
    AccountList list =
        one(R"({"plugin":5,"authentication_string":7,"account_locked":"yes","ssl_type":"1","is_role":1,)"
            R"("max_user_connections":-1,"password_last_changed":"0","auth_or":{}})");
    REQUIRE(list.accounts().size() == 1);
    const sql::Account& account = list.accounts().front();
    CHECK(!account.is_locked);
    CHECK(!account.needs_tls);
    CHECK(!account.is_expired);
    CHECK(account.connections_max == 0);
}

TEST_CASE("an account without a plugin has the native one and no password") {
    // As mariadb-install-db makes root@localhost with --auth-root-authentication-method=normal.
    AccountList list = one(R"({"access":18446744073709551615})");
    CHECK(list.accounts().front().ways.front().kind == AccountWay::Kind::no_password);
    CHECK(verdict_of(list, "u", "10.0.0.1", "").is_accepted());
}

TEST_CASE("an expired account logs in and is known as expired") {
    AccountList list = one(R"({"authentication_string":"","password_last_changed":0})");
    CHECK(list.accounts().front().is_expired);
    CHECK(verdict_of(list, "u", "10.0.0.1", "").is_accepted());
}

TEST_CASE("more accounts than the bound are refused") {
    std::vector<AccountRow> rows(AccountList::kAccountsMax + 1, {.host = "%", .user = "u"});
    auto list = AccountList::read(rows, LoopbackName::address);
    REQUIRE(!list);
    CHECK(list.error().kind() == core::ErrorKind::too_large);
}

TEST_CASE("an empty list accepts nobody") {
    CHECK(verdict_of(AccountList(), "root", "unix", "").error == mysql::kErrorAccessDenied);
    CHECK(AccountList().find("", address_of("10.0.0.1")) == nullptr);
}
