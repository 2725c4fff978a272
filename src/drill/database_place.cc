#include "drill/database_place.h"

namespace drill {

DatabasePlace::DatabasePlace(mariadb::DatabaseUrl where) : url(std::move(where)) {
    if (!url.password.empty()) {
        key.emplace(mysql::password_key(url.password));
    }
}

runtime::Task<mariadb::ServerResult<Connection>> open_connection(
    runtime::Reactor& reactor,
    net::SharedReadBuffer& shared,
    const DatabasePlace& place,
    core::Instant deadline
) {
    mariadb::ServerLogin login{
        .user = place.url.user,
        .key = place.key ? &*place.key : nullptr,
        .database = place.url.database,
        .capabilities = mysql::kDeprecateEof | mysql::kTransactions | mysql::kLongFlag,
    };
    co_return co_await mariadb::ServerConnection::open(shared, reactor, place.url.address, login, deadline);
}

}  // namespace drill
