// Runs the steps of a migration plan on one connection, and keeps the record of them.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "mariadb/database_url.h"
#include "mariadb/server_connection.h"
#include "node/verbs/console.h"
#include "node/verbs/migration_plan.h"
#include "runtime/task.h"

namespace node {

class MigrationRun {
public:
    // `files` in their order. All must live until the end.
    MigrationRun(
        runtime::Reactor& reactor,
        net::SharedReadBuffer& shared,
        Console& console,
        const std::vector<MigrationFile>& files
    )
        : reactor_(reactor), shared_(shared), console_(console), files_(files) {}

    // As `migrate` returns it.
    [[nodiscard]] runtime::Task<int> run(const mariadb::DatabaseUrl& place);

private:
    using Answer = mariadb::ServerResult<mariadb::QueryAnswer>;

    [[nodiscard]] runtime::Task<int> run_locked();
    [[nodiscard]] runtime::Task<int> run_step(const MigrationStep& step);
    [[nodiscard]] runtime::Task<Answer> ask(std::string text);
    [[nodiscard]] int refused(const std::string& what, const mariadb::ServerFailure& failure) const;

    runtime::Reactor& reactor_;
    net::SharedReadBuffer& shared_;
    Console& console_;
    const std::vector<MigrationFile>& files_;
    std::unique_ptr<mariadb::ServerConnection> connection_;
};

}  // namespace node
