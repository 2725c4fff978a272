#include "mariadb/kept_connection.h"

#include "core/panic.h"

namespace mariadb {

namespace {

constexpr mysql::Capabilities kWanted = mysql::kMultiStatements | mysql::kMultiResults |
                                        mysql::kDeprecateEof | mysql::kTransactions | mysql::kLongFlag;
// program_name = trilith, for the server's own lists of connections.
constexpr std::string_view kAttributes = "\x0cprogram_name\x07trilith";

}  // namespace

void KeptConnection::close() {
    if (connection_ != nullptr) {
        connection_->quit();
        connection_.reset();
    }
}

runtime::Task<ServerResult<QueryAnswer>> KeptConnection::ask(
    const LoginAccount& account,
    std::string text,
    core::Instant deadline,
    QueryBounds bounds
) {
    if (connection_ != nullptr) {
        ServerResult<QueryAnswer> answer = co_await connection_->query(text, deadline, bounds);
        if (answer) {
            co_return answer;
        }
        bool is_broken =
            answer.error().kind == core::ErrorKind::closed || answer.error().kind == core::ErrorKind::reset;
        connection_.reset();
        if (!is_broken) {
            co_return answer;
        }
    }
    ServerLogin login{
        .user = account.user,
        .key = account.key ? &*account.key : nullptr,
        .capabilities = kWanted,
        .connect_attributes = kAttributes,
    };
    ServerResult<std::unique_ptr<ServerConnection>> opened =
        co_await ServerConnection::open(shared_, reactor_, address_, login, deadline);
    if (!opened) {
        co_return std::unexpected(std::move(opened).error());
    }
    connection_ = std::move(*opened);
    ServerResult<QueryAnswer> answer = co_await connection_->query(std::move(text), deadline, bounds);
    if (!answer) {
        connection_.reset();
    }
    co_return answer;
}

const std::string& KeptConnection::version() const {
    ASSERT(connection_ != nullptr);
    return connection_->version();
}

}  // namespace mariadb
