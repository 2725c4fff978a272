// A table of logins with what a MariaDB 10.11 said to each; test/integration/test_account_list.py asks one
// again.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "sql/account_list.h"
#include "sql/account_list_samples.h"

using nlohmann::json;
using sql::AccountList;
using sql::LoginVerdict;
using sql::LoopbackName;
using sql::verdict_of;

namespace {

// clang-format off
constexpr std::string_view kCases = R"json({
"statements": [
  "CREATE USER order1@'127.60.1.1' IDENTIFIED BY 'exact'",
  "CREATE USER order1@'127.60.1.0/255.255.255.0' IDENTIFIED BY 'net'",
  "CREATE USER order1@'127.60.1.%' IDENTIFIED BY 'part'",
  "CREATE USER order1@'127.60.%' IDENTIFIED BY 'half'",
  "CREATE USER order1@'%' IDENTIFIED BY 'all'",
  "CREATE USER order1@'localhost' IDENTIFIED BY 'local'",
  "CREATE USER tie@'127.61.1.0/255.255.255.0' IDENTIFIED BY 'net'",
  "CREATE USER tie@'127.61.1.1' IDENTIFIED BY 'low'",
  "CREATE USER tie@'127.61.1.9' IDENTIFIED BY 'high'",
  "CREATE USER ones@'127.62.1._' IDENTIFIED BY 'one'",
  "CREATE USER ones@'127.62.1.__' IDENTIFIED BY 'two'",
  "CREATE USER ones@'127.62.1.%' IDENTIFIED BY 'any'",
  "CREATE USER ones@'127.62._.1_' IDENTIFIED BY 'spread'",
  "CREATE USER prefix@'127.%.1.1' IDENTIFIED BY 'early'",
  "CREATE USER prefix@'127.63.1.%' IDENTIFIED BY 'late'",
  "CREATE USER prefix@'127.63.1.%%' IDENTIFIED BY 'run'",
  "CREATE USER prefix@'%.%.1.1' IDENTIFIED BY 'twice'",
  "CREATE USER narrow@'127.64.0.0/255.255.0.0' IDENTIFIED BY 'wide net'",
  "CREATE USER narrow@'127.64.9.0/255.255.255.0' IDENTIFIED BY 'small net'",
  "CREATE USER ''@'127.65.1.1' IDENTIFIED BY 'anonymous'",
  "CREATE USER shadowed@'%' IDENTIFIED BY 'named'",
  "CREATE USER equal@'127.65.1.1' IDENTIFIED BY 'named'",
  "CREATE USER ''@'127.66.%' IDENTIFIED BY 'anonymous'",
  "CREATE USER equal@'127.66.%' IDENTIFIED BY 'named'",
  "CREATE USER exact@'127.66.1.1' IDENTIFIED BY 'named'",
  "CREATE USER locked@'%' IDENTIFIED BY 'locked' ACCOUNT LOCK",
  "CREATE USER empty@'%'",
  "CREATE USER secure@'%' IDENTIFIED BY 'secure' REQUIRE SSL",
  "CREATE USER x509@'%' IDENTIFIED BY 'secure' REQUIRE X509",
  "CREATE USER lockedtls@'%' IDENTIFIED BY 'secure' REQUIRE SSL ACCOUNT LOCK",
  "CREATE USER invalid@'%' IDENTIFIED VIA mysql_native_password USING 'invalid'",
  ["CREATE USER either@'%' IDENTIFIED VIA mysql_native_password ",
    "USING PASSWORD('first') OR mysql_native_password USING PASSWORD('second')"],
  "CREATE USER unixonly@'%' IDENTIFIED VIA unix_socket",
  ["CREATE USER unixor@'%' IDENTIFIED VIA unix_socket OR mysql_native_password ",
    "USING PASSWORD('behind')"],
  ["CREATE USER orunix@'%' IDENTIFIED VIA mysql_native_password ",
    "USING PASSWORD('before') OR unix_socket"],
  "CREATE USER expired@'%' IDENTIFIED BY 'expired' PASSWORD EXPIRE",
  "CREATE USER few@'%' IDENTIFIED BY 'few' WITH MAX_USER_CONNECTIONS 7",
  "CREATE USER 'Case'@'%' IDENTIFIED BY 'upper'",
  "CREATE USER 'ünï'@'%' IDENTIFIED BY 'pässword'",
  "CREATE USER named@'LOCALHOST' IDENTIFIED BY 'host name'",
  "CREATE USER named@'local%' IDENTIFIED BY 'host pattern'",
  "CREATE USER zeromask@'127.67.0.0/0.0.0.0' IDENTIFIED BY 'mask'",
  "CREATE USER 'escaped'@'127.68.1.\\\\_' IDENTIFIED BY 'escaped'",
  "CREATE ROLE keeper"
],
"rows": [
  ["127.65.1.1", "", {"plugin": "mysql_native_password",
    "authentication_string": "*4702A90989423445372DA76271286CF9621AF9D8"}],
  ["127.66.%", "", {"plugin": "mysql_native_password",
    "authentication_string": "*4702A90989423445372DA76271286CF9621AF9D8"}],
  ["%", "Case", {"plugin": "mysql_native_password",
    "authentication_string": "*05BBD7BA106CC80E1F5257E98E0F1402761A4828"}],
  ["%", "either", {"plugin": "mysql_native_password",
    "authentication_string": "*9BDE81F857CBD7E27CAED548ED36F57CE4307F0B", "auth_or": [{},
    {"plugin": "mysql_native_password",
    "authentication_string": "*350BEBA0BA8F7BA4E147A3E652BE04A3B53B4479"}]}],
  ["%", "empty", {"plugin": "mysql_native_password", "authentication_string": ""}],
  ["127.65.1.1", "equal", {"plugin": "mysql_native_password",
    "authentication_string": "*C99F0659B9C335099C757367D3D51CFA786E555C"}],
  ["127.66.%", "equal", {"plugin": "mysql_native_password",
    "authentication_string": "*C99F0659B9C335099C757367D3D51CFA786E555C"}],
  ["127.68.1.\\_", "escaped", {"plugin": "mysql_native_password",
    "authentication_string": "*EEBA9AA617499AD5013FB85F5A87B31422BC2DA7"}],
  ["127.66.1.1", "exact", {"plugin": "mysql_native_password",
    "authentication_string": "*C99F0659B9C335099C757367D3D51CFA786E555C"}],
  ["%", "expired", {"plugin": "mysql_native_password",
    "authentication_string": "*6C7E2DECFEDDC4A60DFBD62DE8B6F3015221E1F8", "password_last_changed": 0}],
  ["%", "few", {"plugin": "mysql_native_password",
    "authentication_string": "*C3F0A8A26804B2C508F5A2E82D9E116DD3F20D32", "max_user_connections": 7}],
  ["%", "invalid", {"plugin": "mysql_native_password", "authentication_string": "invalid"}],
  ["", "keeper", {"is_role": true}],
  ["%", "locked", {"plugin": "mysql_native_password",
    "authentication_string": "*7E746CE534E909805E116F562DE10621D52E3B35", "account_locked": true}],
  ["%", "lockedtls", {"plugin": "mysql_native_password",
    "authentication_string": "*A36BA850A6E748679226B01E159EF1A7BF946195", "ssl_type": 1,
    "account_locked": true}],
  ["localhost", "mariadb.sys", {"plugin": "mysql_native_password", "authentication_string": "",
    "account_locked": true, "password_last_changed": 0}],
  ["local%", "named", {"plugin": "mysql_native_password",
    "authentication_string": "*CBAC2D16E1109181B6895F4981CD3C193D3DAFC3"}],
  ["localhost", "named", {"plugin": "mysql_native_password",
    "authentication_string": "*09DF9854EBF17E9CF2C679A45D4BF912D0C2A43F"}],
  ["127.64.0.0/255.255.0.0", "narrow", {"plugin": "mysql_native_password",
    "authentication_string": "*84C37799B33C114EB8D57CEAAC5BE836291C9B13"}],
  ["127.64.9.0/255.255.255.0", "narrow", {"plugin": "mysql_native_password",
    "authentication_string": "*48B4496EAFF03E701D10ADFB2E88E833FC8BB095"}],
  ["127.62.1.%", "ones", {"plugin": "mysql_native_password",
    "authentication_string": "*0C1648C40981C5CA7B0410D41CB3ED8C43E05388"}],
  ["127.62.1._", "ones", {"plugin": "mysql_native_password",
    "authentication_string": "*74445CD742AF268FD22866DA0D12758951D638F7"}],
  ["127.62.1.__", "ones", {"plugin": "mysql_native_password",
    "authentication_string": "*A41BEE51488264C01B96DE959A9142AF1A75205E"}],
  ["127.62._.1_", "ones", {"plugin": "mysql_native_password",
    "authentication_string": "*F0C01A7550AA5DE6001D9985E573B3FDB6FB7505"}],
  ["%", "order1", {"plugin": "mysql_native_password",
    "authentication_string": "*EF2D11B763ED44F9126AD34F2C060A135C74FB97"}],
  ["127.60.%", "order1", {"plugin": "mysql_native_password",
    "authentication_string": "*AF0181A05F72FF89DD258E4272A78AEE84F28D56"}],
  ["127.60.1.%", "order1", {"plugin": "mysql_native_password",
    "authentication_string": "*57FA4A97AD182F6A0872282CACBE109822E9E801"}],
  ["127.60.1.0/255.255.255.0", "order1", {"plugin": "mysql_native_password",
    "authentication_string": "*1D7337E4C241ADB0D4D52A8B6284BC083B67379C"}],
  ["127.60.1.1", "order1", {"plugin": "mysql_native_password",
    "authentication_string": "*C3D19D9DA32C0269362BDC1E9B27347FFBBE51B8"}],
  ["localhost", "order1", {"plugin": "mysql_native_password",
    "authentication_string": "*EF82E77FF4184209858BDA2C853D3D7A5870DE80"}],
  ["%", "orunix", {"plugin": "mysql_native_password",
    "authentication_string": "*D3A47D3D31581642ADDEE16B11C9FAA0847B549F", "auth_or": [{},
    {"plugin": "unix_socket"}]}],
  ["%.%.1.1", "prefix", {"plugin": "mysql_native_password",
    "authentication_string": "*937A0544C65615707AC3E0BBC95122A1D2AF737B"}],
  ["127.%.1.1", "prefix", {"plugin": "mysql_native_password",
    "authentication_string": "*A65F413E36820248499425C9EFE149C8E6174E76"}],
  ["127.63.1.%", "prefix", {"plugin": "mysql_native_password",
    "authentication_string": "*2876547E618A9B153931776B6E7BB95CC163EFAD"}],
  ["127.63.1.%%", "prefix", {"plugin": "mysql_native_password",
    "authentication_string": "*7314010C863311BA6A4F302D4C2F0F62C4F71C52"}],
  ["%", "secure", {"plugin": "mysql_native_password",
    "authentication_string": "*A36BA850A6E748679226B01E159EF1A7BF946195", "ssl_type": 1}],
  ["%", "shadowed", {"plugin": "mysql_native_password",
    "authentication_string": "*C99F0659B9C335099C757367D3D51CFA786E555C"}],
  ["127.61.1.0/255.255.255.0", "tie", {"plugin": "mysql_native_password",
    "authentication_string": "*1D7337E4C241ADB0D4D52A8B6284BC083B67379C"}],
  ["127.61.1.1", "tie", {"plugin": "mysql_native_password",
    "authentication_string": "*1E8FE4A49477DD721A4EAA4F31DBF12A57BE181D"}],
  ["127.61.1.9", "tie", {"plugin": "mysql_native_password",
    "authentication_string": "*F192696731E6E48DB8E46FF95EF079F5E12FB5FA"}],
  ["%", "unixonly", {"plugin": "unix_socket", "authentication_string": ""}],
  ["%", "unixor", {"plugin": "mysql_native_password",
    "authentication_string": "*74299D2CC6E578A9BF4C68485343A4DD220A5436",
    "auth_or": [{"plugin": "unix_socket"}, {}]}],
  ["%", "x509", {"plugin": "mysql_native_password",
    "authentication_string": "*A36BA850A6E748679226B01E159EF1A7BF946195", "ssl_type": 2}],
  ["127.67.0.0/0.0.0.0", "zeromask", {"plugin": "mysql_native_password",
    "authentication_string": "*9B9030DAB08EA667DF6C19E140511C2ED489495E"}],
  ["%", "ünï", {"plugin": "mysql_native_password",
    "authentication_string": "*809D64D632EB9BAB610456B482D94C2E267965C8"}]
],
"logins": [
  ["order1", "127.60.1.1", "exact", "order1@127.60.1.1"],
  ["order1", "127.60.1.1", "net", 1045],
  ["order1", "127.60.1.1", "part", 1045],
  ["order1", "127.60.1.1", "half", 1045],
  ["order1", "127.60.1.1", "all", 1045],
  ["order1", "127.60.1.2", "net", "order1@127.60.1.0/255.255.255.0"],
  ["order1", "127.60.1.2", "part", 1045],
  ["order1", "127.60.1.2", "half", 1045],
  ["order1", "127.60.1.2", "all", 1045],
  ["order1", "127.60.1.2", "exact", 1045],
  ["order1", "127.60.2.1", "half", "order1@127.60.%"],
  ["order1", "127.60.2.1", "all", 1045],
  ["order1", "127.60.2.1", "net", 1045],
  ["order1", "127.99.1.1", "all", "order1@%"],
  ["order1", "127.99.1.1", "half", 1045],
  ["order1", "unix", "local", "order1@localhost"],
  ["order1", "unix", "all", 1045],
  ["order1", "127.0.0.1", "all", "order1@%"],
  ["order1", "127.0.0.1", "local", 1045],
  ["tie", "127.61.1.1", "net", 1045],
  ["tie", "127.61.1.1", "low", "tie@127.61.1.1"],
  ["tie", "127.61.1.1", "high", 1045],
  ["tie", "127.61.1.9", "net", 1045],
  ["tie", "127.61.1.9", "low", 1045],
  ["tie", "127.61.1.9", "high", "tie@127.61.1.9"],
  ["tie", "127.61.1.5", "net", "tie@127.61.1.0/255.255.255.0"],
  ["ones", "127.62.1.1", "one", "ones@127.62.1._"],
  ["ones", "127.62.1.1", "two", 1045],
  ["ones", "127.62.1.1", "any", 1045],
  ["ones", "127.62.1.1", "spread", 1045],
  ["ones", "127.62.1.12", "one", 1045],
  ["ones", "127.62.1.12", "two", 1045],
  ["ones", "127.62.1.12", "any", 1045],
  ["ones", "127.62.1.12", "spread", "ones@127.62._.1_"],
  ["ones", "127.62.1.123", "any", "ones@127.62.1.%"],
  ["prefix", "127.63.1.1", "early", 1045],
  ["prefix", "127.63.1.1", "late", 1045],
  ["prefix", "127.63.1.1", "run", "prefix@127.63.1.%%"],
  ["prefix", "127.63.1.1", "twice", 1045],
  ["narrow", "127.64.9.1", "small net", "narrow@127.64.9.0/255.255.255.0"],
  ["narrow", "127.64.9.1", "wide net", 1045],
  ["shadowed", "127.65.1.1", "named", 1045],
  ["shadowed", "127.65.1.1", "anonymous", "@127.65.1.1"],
  ["shadowed", "127.65.1.2", "named", "shadowed@%"],
  ["shadowed", "127.65.1.2", "anonymous", 1045],
  ["equal", "127.65.1.1", "named", "equal@127.65.1.1"],
  ["equal", "127.65.1.1", "anonymous", 1045],
  ["equal", "127.66.1.1", "named", "equal@127.66.%"],
  ["equal", "127.66.1.1", "anonymous", 1045],
  ["exact", "127.66.1.1", "named", "exact@127.66.1.1"],
  ["exact", "127.66.1.1", "anonymous", 1045],
  ["stranger", "127.65.1.1", "anonymous", "@127.65.1.1"],
  ["stranger", "127.65.1.1", "", 1045],
  ["stranger", "127.99.1.1", "anonymous", 1045],
  ["stranger", "127.99.1.1", "", 1045],
  ["locked", "127.99.1.1", "locked", 4151],
  ["locked", "127.99.1.1", "wrong", 1045],
  ["locked", "127.99.1.1", "", 1045],
  ["empty", "127.99.1.1", "", "empty@%"],
  ["empty", "127.99.1.1", "wrong", 1045],
  ["secure", "127.99.1.1", "secure", 1045],
  ["secure", "127.99.1.1", "wrong", 1045],
  ["x509", "127.99.1.1", "secure", 1045],
  ["lockedtls", "127.99.1.1", "secure", 1045],
  ["invalid", "127.99.1.1", "invalid", 1045],
  ["invalid", "127.99.1.1", "", 1045],
  ["either", "127.99.1.1", "first", "either@%"],
  ["either", "127.99.1.1", "second", "either@%"],
  ["either", "127.99.1.1", "third", 1045],
  ["either", "127.99.1.1", "", 1045],
  ["unixonly", "127.99.1.1", "", 1698],
  ["unixonly", "127.99.1.1", "x", 1698],
  ["unixor", "127.99.1.1", "behind", "unixor@%"],
  ["unixor", "127.99.1.1", "", 1698],
  ["unixor", "127.99.1.1", "x", 1045],
  ["orunix", "127.99.1.1", "before", "orunix@%"],
  ["orunix", "127.99.1.1", "", 1698],
  ["orunix", "127.99.1.1", "x", 1698],
  ["expired", "127.99.1.1", "expired", "expired@%"],
  ["few", "127.99.1.1", "few", "few@%"],
  ["Case", "127.99.1.1", "upper", "Case@%"],
  ["case", "127.99.1.1", "upper", 1045],
  ["ünï", "127.99.1.1", "pässword", "ünï@%"],
  ["ünï", "127.99.1.1", "password", 1045],
  ["named", "unix", "host name", "named@localhost"],
  ["named", "unix", "host pattern", 1045],
  ["named", "127.99.1.1", "host name", 1045],
  ["zeromask", "127.67.0.1", "mask", 1045],
  ["escaped", "127.68.1.1", "escaped", 1045],
  ["keeper", "127.99.1.1", "", 1045],
  ["keeper", "127.99.1.1", "keeper", 1045],
  ["mariadb.sys", "unix", "", 4151]
],
"localhost_logins": [
  ["order1", "127.0.0.1", "local", "order1@localhost"],
  ["order1", "127.0.0.1", "all", 1045],
  ["named", "127.0.0.1", "host name", "named@localhost"],
  ["named", "127.0.0.1", "host pattern", 1045],
  ["stranger", "127.0.0.1", "x", 1045],
  ["locked", "127.0.0.1", "x", 1045]
]
})json";
// clang-format on

AccountList list_of(const json& rows, LoopbackName loopback) {
    std::vector<std::string> texts;
    texts.reserve(rows.size());
    std::vector<sql::AccountRow> accounts;
    for (const json& row : rows) {
        texts.push_back(row[2].dump());
        accounts.push_back({
            .host = row[0].get_ref<const std::string&>(),
            .user = row[1].get_ref<const std::string&>(),
            .privileges = texts.back(),
        });
    }
    return *AccountList::read(accounts, loopback);
}

void check_logins(const AccountList& list, const json& logins) {
    REQUIRE(!logins.empty());
    for (const json& login : logins) {
        INFO(login.dump());
        LoginVerdict verdict = verdict_of(list, login[0].get<std::string>(), login[1], login[2]);
        if (login[3].is_string()) {
            CHECK(verdict.error == 0);
            REQUIRE(verdict.account != nullptr);
            CHECK(verdict.account->user + "@" + verdict.account->host == login[3].get<std::string>());
            CHECK(verdict.key.has_value() != login[2].get<std::string>().empty());
        } else {
            // 1698 is 1045 of an account with unix_socket among its ways.
            int number = login[3] == 1698 ? 1045 : login[3].get<int>();
            CHECK(verdict.error == number);
            CHECK(!verdict.key.has_value());
            CHECK(!verdict.message.empty());
        }
    }
}

}  // namespace

TEST_CASE("the account and the verdict of each login are those of a real server") {
    json cases = json::parse(kCases);
    SUBCASE("with skip_name_resolve") {
        check_logins(list_of(cases["rows"], LoopbackName::address), cases["logins"]);
    }
    SUBCASE("where 127.0.0.1 is localhost") {
        check_logins(list_of(cases["rows"], LoopbackName::localhost), cases["localhost_logins"]);
    }
}
