#include "mariadb/database_url.h"

#include "core/percent.h"
#include "mysql/login.h"

namespace mariadb {

namespace {

core::Result<std::string> decode_part(std::string_view text, std::string_view what, size_t size_max) {
    std::string decoded(text.size(), '\0');
    decoded.resize(
        static_cast<size_t>(core::decode_percent(text, core::Plus::plus, decoded.data()) - decoded.data())
    );
    if (decoded.contains('\0')) {
        return core::fail(core::ErrorKind::invalid, "its " + std::string(what) + " has a NUL");
    }
    if (decoded.size() > size_max) {
        return core::fail(core::ErrorKind::too_large, "its " + std::string(what) + " is too long");
    }
    return decoded;
}

core::Result<net::Address> read_place(std::string_view text) {
    constexpr std::string_view kDefaultPort = ":3306";
    std::string place(text);
    size_t colon = place.rfind(':');
    size_t bracket = place.rfind(']');
    bool has_port = colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
    if (!has_port) {
        place += kDefaultPort;
    }
    constexpr std::string_view kLocal = "localhost:";
    if (place.starts_with(kLocal)) {
        place.replace(0, kLocal.size(), "127.0.0.1:");
    }
    auto address = net::Address::parse(place);
    if (!address || text.starts_with('*')) {
        return core::fail(core::ErrorKind::invalid, "it needs ADDRESS:PORT behind the \"@\", in numbers");
    }
    return address;
}

}  // namespace

core::Result<DatabaseUrl> read_database_url(std::string_view text) {
    constexpr std::string_view kScheme = "mysql://";
    constexpr size_t kPasswordMax = 1024;
    if (!text.starts_with(kScheme)) {
        return core::fail(core::ErrorKind::invalid, "it does not begin with mysql://");
    }
    text.remove_prefix(kScheme.size());
    size_t slash = text.find('/', text.rfind('@') == std::string_view::npos ? 0 : text.rfind('@'));
    std::string_view database = slash == std::string_view::npos ? "" : text.substr(slash + 1);
    text = text.substr(0, slash);
    size_t at = text.rfind('@');
    if (at == std::string_view::npos || at == 0) {
        return core::fail(
            core::ErrorKind::invalid,
            "it names no user: mysql://USER:PASSWORD@ADDRESS:PORT/NAME"
        );
    }
    if (database.find_first_of("/?#") != std::string_view::npos) {
        return core::fail(core::ErrorKind::invalid, "behind the database's name it goes on");
    }
    std::string_view account = text.substr(0, at);
    size_t colon = account.find(':');
    std::string_view password = colon == std::string_view::npos ? "" : account.substr(colon + 1);
    DatabaseUrl url;
    TRY(url.address, read_place(text.substr(at + 1)));
    TRY(url.user, decode_part(account.substr(0, colon), "user", mysql::kUserMax));
    TRY(url.password, decode_part(password, "password", kPasswordMax));
    TRY(url.database, decode_part(database, "database", mysql::kDatabaseMax));
    return url;
}

}  // namespace mariadb
