// Logins in every combination of capabilities, what is refused, changes of user, and plugin switches.
#include "mysql/login.h"

#include <iterator>
#include <string>

#include <doctest/doctest.h>

#include "mysql/test_bytes.h"

namespace mysql {
namespace {

using namespace std::string_view_literals;

constexpr Capabilities kOptional[] = {
    kClientMysql,
    kConnectWithDatabase,
    kSecureConnection,
    kPluginAuth,
    kLengthEncodedAuth,
    kConnectAttributes,
};
constexpr unsigned kCombinations = 1U << std::size(kOptional);
constexpr std::string_view kAttributes = "\3_os\5Linux\4name\0"sv;

Login login_of(unsigned combination) {
    Login login{.capabilities = kProtocol41, .packet_max = 1 << 24, .collation = 45, .user = "app"};
    for (size_t bit = 0; bit < std::size(kOptional); ++bit) {
        login.capabilities |= (combination >> bit & 1) != 0 ? kOptional[bit] : 0;
    }
    if (!has(login.capabilities, kClientMysql)) {
        login.capabilities |= kBulkExecute;
    }
    const bool is_binary =
        has(login.capabilities, kSecureConnection) || has(login.capabilities, kLengthEncodedAuth);
    login.auth_response = is_binary ? "an\0swer of 20 bytes!!"sv : "answer"sv;
    login.database = has(login.capabilities, kConnectWithDatabase) ? "foobar"sv : ""sv;
    login.plugin = has(login.capabilities, kPluginAuth) ? "mysql_native_password"sv : ""sv;
    login.connect_attributes = has(login.capabilities, kConnectAttributes) ? kAttributes : ""sv;
    return login;
}

void check_same(const Login& read, const Login& written) {
    CHECK(read.capabilities == written.capabilities);
    CHECK(read.packet_max == written.packet_max);
    CHECK(read.collation == written.collation);
    CHECK(read.user == written.user);
    CHECK(read.auth_response == written.auth_response);
    CHECK(read.database == written.database);
    CHECK(read.plugin == written.plugin);
    CHECK(read.connect_attributes == written.connect_attributes);
}

TEST_CASE("a login in every combination of capabilities is read as it was written") {
    for (unsigned combination = 0; combination < kCombinations; ++combination) {
        CAPTURE(combination);
        const Login login = login_of(combination);
        std::string payload;
        PayloadWriter writer(payload);
        write_login(writer, login);
        const core::Result<Login> read = read_login(payload);
        REQUIRE(read.has_value());
        check_same(*read, login);
    }
}

TEST_CASE("a login cut before its answer has ended is refused, at every length") {
    for (unsigned combination = 0; combination < kCombinations; ++combination) {
        const Login login = login_of(combination);
        std::string payload;
        PayloadWriter writer(payload);
        write_login(writer, login);
        const size_t answer = payload.find(login.auth_response) + login.auth_response.size();
        for (size_t size = 0; size < answer; ++size) {
            CAPTURE(combination);
            CAPTURE(size);
            CHECK_FALSE(read_login(std::string_view(payload).substr(0, size)).has_value());
        }
    }
}

TEST_CASE("the login of a real client is read") {
    const std::string payload = from_hex(
        "aca20f01 00000001 2d 00000000000000000000000000000000000000 1d000000 6e00 03616263 7400"
        " 6d7973716c5f6e61746976655f70617373776f726400"
    );
    const core::Result<Login> read = read_login(payload);
    REQUIRE(read.has_value());
    CHECK(has(read->capabilities, kDeprecateEof | kProtocol41));
    CHECK((read->capabilities >> 32) == 0x1d);
    CHECK(read->user == "n");
    CHECK(read->auth_response == "abc");
    CHECK(read->database == "t");
    CHECK(read->plugin == "mysql_native_password");
}

TEST_CASE("requests for TLS and clients before 4.1 are told apart from logins") {
    const std::string tls = from_hex("00aa0000 00000001 2d") + std::string(23, '\0');
    CHECK(login_form(tls) == LoginForm::tls_request);
    CHECK(read_login(tls).error().kind() == core::ErrorKind::unsupported);
    CHECK(login_form(tls + "user") == LoginForm::protocol41);
    const std::string old = from_hex("8524 000000 6f6c6400 61626364");
    CHECK(login_form(old) == LoginForm::too_old);
    CHECK(read_login(old).error().kind() == core::ErrorKind::unsupported);
    CHECK(login_form("\0"sv) == LoginForm::malformed);
    CHECK(login_form(tls.substr(0, 31)) == LoginForm::malformed);
}

TEST_CASE("names, answers and attributes over their bounds are refused as too large") {
    const std::string long_text(kConnectAttributesMax + 1, 'x');
    const std::string_view text = long_text;
    Login rows[4] = {
        login_of(kCombinations - 1),
        login_of(kCombinations - 1),
        login_of(kCombinations - 1),
        login_of(kCombinations - 1)
    };
    rows[0].user = text.substr(0, kUserMax + 1);
    rows[1].database = text.substr(0, kDatabaseMax + 1);
    rows[2].auth_response = text.substr(0, kAuthResponseMax + 1);
    rows[3].connect_attributes = text;
    for (const Login& login : rows) {
        std::string payload;
        PayloadWriter writer(payload);
        write_login(writer, login);
        const core::Result<Login> read = read_login(payload);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().kind() == core::ErrorKind::too_large);
    }
}

TEST_CASE("a change of user is read as it was written, with fields left out at its end") {
    for (unsigned combination = 0; combination < kCombinations; ++combination) {
        CAPTURE(combination);
        Login login = login_of(combination);
        login.packet_max = 0;
        login.database = "other";
        login.auth_response = has(login.capabilities, kSecureConnection) ? login.auth_response : "answer"sv;
        std::string payload;
        PayloadWriter writer(payload);
        write_change_user(writer, login);
        const core::Result<Login> read = read_change_user(payload, login.capabilities);
        REQUIRE(read.has_value());
        check_same(*read, login);
        const size_t database = payload.find("other") + 6;
        const core::Result<Login> shortened =
            read_change_user(std::string_view(payload).substr(0, database), login.capabilities);
        REQUIRE(shortened.has_value());
        CHECK(shortened->collation == 0);
        CHECK(shortened->plugin == "");
    }
    CHECK_FALSE(read_change_user("\x11user", kProtocol41 | kSecureConnection).has_value());
    CHECK_FALSE(read_change_user("\x11user\0\x14short"sv, kProtocol41 | kSecureConnection).has_value());
}

TEST_CASE("a plugin switch of a real server is read, and written the same") {
    const std::string payload =
        from_hex("fe6d7973716c5f6e61746976655f70617373776f72640031533035") + "ZC$&1d'4mHb4|4,}" + '\0';
    AuthSwitch request;
    REQUIRE(read_auth_switch(payload, request));
    CHECK(request.plugin == "mysql_native_password");
    CHECK(request.nonce == "1S05ZC$&1d'4mHb4|4,}");
    std::string text;
    PayloadWriter writer(text);
    write_auth_switch(writer, request);
    CHECK(text == payload);
    CHECK_FALSE(read_auth_switch("\xfe", request));
    CHECK_FALSE(read_auth_switch("\xfeplugin", request));
    CHECK_FALSE(read_auth_switch("\x01plugin\0"sv, request));
}

TEST_CASE("connection attributes are gone through in place") {
    ConnectAttributes attributes(kAttributes);
    std::string_view name;
    std::string_view value;
    REQUIRE(attributes.next(name, value));
    CHECK(name == "_os");
    CHECK(value == "Linux");
    REQUIRE(attributes.next(name, value));
    CHECK(name == "name");
    CHECK(value == "");
    CHECK_FALSE(attributes.next(name, value));
    CHECK(attributes.is_good());
    ConnectAttributes cut(kAttributes.substr(0, 6));
    CHECK_FALSE(cut.next(name, value));
    CHECK_FALSE(cut.is_good());
}

}  // namespace
}  // namespace mysql
