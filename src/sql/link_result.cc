// Making a server connection answer as if the session's last statement had run there.
#include <format>
#include <span>

#include "core/hex.h"
#include "mysql/ok_packet.h"
#include "sql/server_link.h"
#include "sql/worker.h"

namespace sql {

namespace {

// It ends with an end of rows, and changes nothing but ROW_COUNT().
constexpr std::string_view kWithoutCount = "SHOW ERRORS LIMIT 0";

}  // namespace

runtime::Task<ServerResult<void>> clear_messages(Worker& worker, ServerLink& link) {
    core::Instant deadline = worker.now() + worker.config().timeouts.connect;
    auto answer = co_await link.connection->query(std::string(kClearing), deadline);
    if (!answer) {
        co_return std::unexpected(std::move(answer).error());
    }
    link.has_messages = false;
    co_return ServerResult<void>{};
}

runtime::Task<ServerResult<void>> tell_error(Worker& worker, ServerLink& link, const ServerFailure& error) {
    core::Instant deadline = worker.now() + worker.config().timeouts.connect;
    std::string_view state = error.sqlstate.empty() ? mysql::sqlstate_of(error.number) : error.sqlstate;
    std::string text = std::format(
        // A literal that means the same in every sql_mode and character set.
        "SIGNAL SQLSTATE '{}' SET MYSQL_ERRNO = {}, MESSAGE_TEXT = _utf8mb4 0x{}",
        state,
        error.number,
        core::to_hex(std::as_bytes(std::span(error.message)))
    );
    auto answer = co_await link.connection->query(std::move(text), deadline);
    if (!answer && !answer.error().is_from_server()) {  // an answer is that very error
        co_return std::unexpected(std::move(answer).error());
    }
    link.has_messages = true;
    co_return ServerResult<void>{};
}

runtime::Task<ServerResult<void>> tell_row_count(Worker& worker, ServerLink& link, int64_t row_count) {
    core::Instant deadline = worker.now() + worker.config().timeouts.connect;
    std::vector<ServerCommand> commands{
        row_count == 0 ? ServerCommand{mysql::Command::ping, ""}
                       : ServerCommand{mysql::Command::query, std::string(kWithoutCount)},
    };
    auto answers = co_await link.connection->run_all(std::move(commands), deadline);
    if (!answers) {
        co_return std::unexpected(std::move(answers).error());
    }
    co_return ServerResult<void>{};
}

runtime::Task<ServerResult<uint16_t>> ask_status(Worker& worker, ServerLink& link) {
    core::Instant deadline = worker.now() + worker.config().timeouts.connect;
    auto answer = co_await link.connection->query(std::string(kWithoutCount), deadline);
    if (!answer) {
        co_return std::unexpected(std::move(answer).error());
    }
    co_return answer->results.empty() ? uint16_t{0} : answer->results.back().status;
}

}  // namespace sql
