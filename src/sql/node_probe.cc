#include "sql/node_probe.h"

#include "sql/heartbeat.h"
#include "sql/node_look.h"

namespace sql {

runtime::Task<std::optional<Look>> NodeProbe::look(
    const LoginAccount& account,
    core::Instant deadline,
    LookScope scope
) {
    std::string text(kLookText);
    if (scope == LookScope::with_beat) {
        text += ';';
        text += Heartbeat::kReadText;
    }
    ServerResult<QueryAnswer> answer = co_await connection_.ask(account, std::move(text), deadline);
    if (answer) {
        std::string version = connection_.version();
        Look look = read_look(*answer, version);
        if (!look) {
            connection_.close();
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
    const LoginAccount& account,
    core::Instant deadline
) {
    if (!connection_.is_open()) {
        co_return std::nullopt;
    }
    ServerResult<QueryAnswer> answer =
        co_await connection_.ask(account, "SELECT @@global.gtid_slave_pos AS applied", deadline);
    const std::string* text =
        answer && answer->results.size() == 1 ? answer->results[0].value(0, "applied") : nullptr;
    co_return text != nullptr ? mysql::GtidPosition::read(*text) : std::nullopt;
}

}  // namespace sql
