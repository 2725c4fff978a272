// A request's statements: each on a connection that is taken for it, or all on the one of a transaction.
#pragma once

#include <trilith/database.h>

#include <memory>
#include <string_view>

#include "runtime/task.h"
#include "sdk/database_pool.h"
#include "sdk/exchange.h"

namespace trilith::sdk {

struct RowsData {
    mariadb::StatementResult result;
};

using StatementOutcome = mariadb::ServerResult<mariadb::StatementResult>;

// Runs a statement outside of a transaction. A failure of kind `cancelled` without a number: the request is
// over.
[[nodiscard]] runtime::Task<StatementOutcome> run_alone(
    Exchange& exchange,
    const DatabaseSettings& settings,
    detail::SqlText sql,
    const detail::Parameters& parameters
);

enum class TransactionEnd : uint8_t { commit, rollback };

// A transaction on its connection. Where it is destroyed before its end, the connection is rolled back.
class DatabaseSession {
public:
    DatabaseSession(Exchange& exchange, DatabasePool& pool) : exchange_(exchange), pool_(pool) {}
    ~DatabaseSession();
    DatabaseSession(const DatabaseSession&) = delete;
    DatabaseSession& operator=(const DatabaseSession&) = delete;

    [[nodiscard]] bool is_open() const { return connection_ != nullptr; }

    // After the server's refusal of a statement the session is open still; after another failure it is not.
    [[nodiscard]] runtime::Task<StatementOutcome> begin();
    [[nodiscard]] runtime::Task<StatementOutcome> run(
        detail::SqlText sql,
        const detail::Parameters& parameters
    );
    [[nodiscard]] runtime::Task<StatementOutcome> end(TransactionEnd how);

private:
    Exchange& exchange_;
    DatabasePool& pool_;
    std::unique_ptr<PooledConnection> connection_;
};

}  // namespace trilith::sdk
