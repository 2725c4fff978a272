// A connection of a pool, with the statements that are prepared on it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.h"
#include "mariadb/server_connection.h"
#include "mysql/statement_values.h"
#include "runtime/task.h"

namespace trilith::sdk {

// One execution. All of it must live until its end.
struct StatementCall {
    std::string_view text{};  // of the program: lives as long as it
    std::span<const mysql::StatementValue> values{};
    // A GTID position that what is read must have; "": any.
    std::string_view position{};
    mariadb::QueryBounds bounds{};
    mariadb::OnInterrupt on_interrupt = mariadb::OnInterrupt::stop;
    core::Instant deadline{};
};

class PooledConnection {
public:
    PooledConnection(std::unique_ptr<mariadb::ServerConnection> server, uint32_t statements_max)
        : server_(std::move(server)), statements_max_(statements_max) {}

    // An error of the server leaves the connection usable; after any other failure it must be closed.
    [[nodiscard]] runtime::Task<mariadb::ServerResult<mariadb::StatementResult>> run(const StatementCall& call
    );

    // A statement without parameters that is not prepared, as COMMIT.
    [[nodiscard]] runtime::Task<mariadb::ServerResult<mariadb::StatementResult>> say(
        std::string_view text,
        core::Instant deadline,
        mariadb::OnInterrupt on_interrupt
    );

    // Its server has neither closed it nor said anything since.
    [[nodiscard]] bool is_quiet();

    [[nodiscard]] mariadb::ServerConnection& server() { return *server_; }

    core::Instant idle_since{};
    // Its session has written: through the router, its reads must have that, whoever they are for.
    bool has_written = false;
    bool is_lent_to_write = false;
    bool was_used = false;  // a statement has been answered: a break may have happened while it was idle

private:
    struct Known {
        std::string_view text{};
        uint32_t id = 0;
        uint64_t used = 0;  // the count of executions when it ran last
    };

    [[nodiscard]] Known* find(std::string_view text);
    [[nodiscard]] runtime::Task<mariadb::ServerResult<uint32_t>> prepare(const StatementCall& call);
    void make_room();

    std::unique_ptr<mariadb::ServerConnection> server_;
    uint32_t statements_max_;
    std::vector<Known> known_;
    uint64_t executions_ = 0;
    std::string closes_;  // COM_STMT_CLOSE of those that had to go: sent before what is sent next
    std::string said_position_;
};

}  // namespace trilith::sdk
