#include "sql/node_probe.h"

#include "sql/heartbeat.h"
#include "sql/node_look.h"

namespace sql {

namespace {

constexpr mysql::Capabilities kWanted = mysql::kMultiStatements | mysql::kMultiResults |
                                        mysql::kDeprecateEof | mysql::kTransactions | mysql::kLongFlag;
// program_name = trilith, for the server's own lists of connections.
constexpr std::string_view kAttributes = "\x0cprogram_name\x07trilith";

}  // namespace

void NodeProbe::close() {
    if (connection_ != nullptr) {
        connection_->quit();
        connection_.reset();
    }
}

runtime::Task<ServerResult<QueryAnswer>> NodeProbe::ask(
    const RouterAccount& account,
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

runtime::Task<std::optional<Look>> NodeProbe::look(
    const RouterAccount& account,
    core::Instant deadline,
    LookScope scope
) {
    std::string text(kLookText);
    if (scope == LookScope::with_beat) {
        text += ';';
        text += Heartbeat::kReadText;
    }
    ServerResult<QueryAnswer> answer = co_await ask(account, std::move(text), deadline);
    if (answer) {
        std::string version = connection_->version();
        Look look = read_look(*answer, version);
        if (!look) {
            close();
        }
        co_return look;
    }
    bool is_ours = answer.error().kind == core::ErrorKind::cancelled ||
                   answer.error().kind == core::ErrorKind::exhausted;
    if (is_ours) {
        co_return std::nullopt;
    }
    co_return failed_look(answer.error());
}

runtime::Task<std::optional<mysql::GtidPosition>> NodeProbe::applied(
    const RouterAccount& account,
    core::Instant deadline
) {
    if (connection_ == nullptr) {
        co_return std::nullopt;
    }
    ServerResult<QueryAnswer> answer =
        co_await ask(account, "SELECT @@global.gtid_slave_pos AS applied", deadline);
    const std::string* text =
        answer && answer->results.size() == 1 ? answer->results[0].value(0, "applied") : nullptr;
    co_return text != nullptr ? mysql::GtidPosition::read(*text) : std::nullopt;
}

}  // namespace sql
