#include "node/verbs/migration_run.h"

#include <charconv>
#include <format>

#include "mysql/native_password.h"

namespace node {

namespace {

constexpr core::Duration kMigrationConnect = std::chrono::seconds(20);
// Of one statement: large tables are rebuilt.
constexpr core::Duration kMigrationStatement = std::chrono::hours(24);
constexpr int kMigrationDone = 0;
constexpr int kMigrationLater = 1;
constexpr int kMigrationWrong = 2;

constexpr std::string_view kCreateRecord =
    "CREATE TABLE IF NOT EXISTS trilith_migrations (number INT UNSIGNED NOT NULL, statement INT UNSIGNED NOT "
    "NULL, statements INT UNSIGNED NOT NULL, file VARCHAR(200) NOT NULL, digest CHAR(16) NOT NULL, state "
    "ENUM('begun', 'done') NOT NULL, changed_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE "
    "CURRENT_TIMESTAMP, PRIMARY KEY (number, statement)) ENGINE=InnoDB";
constexpr std::string_view kReadRecord =
    "SELECT number, statement, statements, digest, state FROM trilith_migrations ORDER BY number, statement "
    "LOCK IN SHARE MODE";
// Given back by the end of the connection, whatever ends it.
constexpr std::string_view kTakeLock = "SELECT GET_LOCK('trilith_migrate', 60) AS taken";

uint32_t number_in(const mariadb::QueryResult& result, size_t row, std::string_view column) {
    uint32_t number = 0;
    if (const std::string* text = result.value(row, column)) {
        std::from_chars(text->data(), text->data() + text->size(), number);
    }
    return number;
}

std::vector<RecordedStatement> records_in(const mariadb::QueryResult& result) {
    std::vector<RecordedStatement> records;
    for (size_t row = 0; row < result.rows.size(); ++row) {
        const std::string* digest = result.value(row, "digest");
        const std::string* state = result.value(row, "state");
        records.push_back({
            .number = number_in(result, row, "number"),
            .statement = number_in(result, row, "statement"),
            .count = number_in(result, row, "statements"),
            .digest = digest == nullptr ? "" : *digest,
            .is_done = state != nullptr && *state == "done",
        });
    }
    return records;
}

// What another try may find otherwise: the way to the primary, locks, and places.
bool may_pass(const mariadb::ServerFailure& failure) {
    switch (failure.number) {
        case 0:
        case mysql::kErrorTooManyConnections:
        case mysql::kErrorAccessDenied:  // the accounts have not come to where we ask yet
        case mysql::kErrorDatabaseAccessDenied:
        case mysql::kErrorUnknownDatabase:
        case mysql::kErrorServerShutdown:
        case mysql::kErrorLockWaitTimeout:
        case mysql::kErrorDeadlock:
        case mysql::kErrorOptionPreventsStatement:
        case mysql::kErrorReadOnlyMode:
        case mysql::kErrorQueryInterrupted:
        case mysql::kErrorConnectionKilled:
        case mysql::kErrorServerGone:
        case mysql::kErrorServerLost: return true;
        default: return false;
    }
}

std::string place_of(const MigrationStep& step) {
    return std::format(
        "{}: statement {} of {}",
        step.file->name,
        step.statement + 1,
        step.file->statements.size()
    );
}

}  // namespace

int MigrationRun::refused(const std::string& what, const mariadb::ServerFailure& failure) const {
    std::string number = failure.is_from_server() ? std::format(" (error {})", failure.number) : "";
    console_.err(std::format("trilith: {}: {}{}\n", what, failure.message, number));
    return may_pass(failure) ? kMigrationLater : kMigrationWrong;
}

runtime::Task<MigrationRun::Answer> MigrationRun::ask(std::string text) {
    constexpr mariadb::QueryBounds kRecords{.rows_max = 1'000'000, .bytes_max = size_t{256} << 20};
    co_return co_await connection_->query(std::move(text), reactor_.now() + kMigrationStatement, kRecords);
}

runtime::Task<int> MigrationRun::run(const mariadb::DatabaseUrl& place) {
    std::optional<mysql::PasswordKey> key;
    if (!place.password.empty()) {
        key = mysql::password_key(place.password);
    }
    mariadb::ServerLogin login{
        .user = place.user,
        .key = key ? &*key : nullptr,
        .database = place.database,
        .capabilities = mysql::kDeprecateEof | mysql::kTransactions | mysql::kLongFlag,
    };
    auto opened = co_await mariadb::ServerConnection::open(
        shared_,
        reactor_,
        place.address,
        login,
        reactor_.now() + kMigrationConnect
    );
    if (!opened) {
        co_return refused("the database cannot be reached", opened.error());
    }
    connection_ = *std::move(opened);
    Answer taken = co_await ask(std::string(kTakeLock));
    if (!taken) {
        co_return refused("the lock of the migrations", taken.error());
    }
    const std::string* is_taken = taken->results.empty() ? nullptr : taken->results[0].value(0, "taken");
    if (is_taken == nullptr || *is_taken != "1") {
        console_.err("trilith: another run of the migrations has not ended within a minute\n");
        co_return kMigrationLater;
    }
    int status = co_await run_locked();
    connection_->quit();
    co_return status;
}

runtime::Task<int> MigrationRun::run_locked() {
    Answer made = co_await ask(std::string(kCreateRecord));
    if (!made) {
        co_return refused("making the table trilith_migrations", made.error());
    }
    Answer read = co_await ask(std::string(kReadRecord));
    if (!read || read->results.empty()) {
        co_return refused(
            "reading the table trilith_migrations",
            read ? mariadb::ServerFailure() : read.error()
        );
    }
    auto steps = plan_migrations(files_, records_in(read->results[0]));
    if (!steps) {
        console_.err("trilith: " + steps.error().context() + "\n");
        co_return kMigrationWrong;
    }
    if (steps->empty()) {
        console_.out(std::format("nothing to do: {} migrations are done\n", files_.size()));
    }
    for (const MigrationStep& step : *steps) {
        int status = co_await run_step(step);
        if (status != kMigrationDone) {
            co_return status;
        }
    }
    co_return kMigrationDone;
}

// "begun" is written before, "done" with the statement where that can be rolled back. Where it commits by
// itself (most of DDL), an end between the two leaves "begun", and the next run finds out by trying.
runtime::Task<int> MigrationRun::run_step(const MigrationStep& step) {
    const std::string& statement = step.file->statements[step.statement];
    std::string key = std::format("number = {} AND statement = {}", step.file->number, step.statement);
    Answer begun = co_await ask(std::format(
        "REPLACE INTO trilith_migrations (number, statement, statements, file, digest, state) VALUES ({}, "
        "{}, {}, '{}', '{}', 'begun')",
        step.file->number,
        step.statement,
        step.file->statements.size(),
        step.file->name,
        digest_of(statement)
    ));
    if (begun) {
        begun = co_await ask("START TRANSACTION");
    }
    if (!begun) {
        co_return refused(place_of(step), begun.error());
    }
    Answer done = co_await ask(statement);
    bool was_done = !done && step.was_begun && says_it_was_done(done.error().number, statement);
    if (!done && !was_done) {
        int status = refused(place_of(step), done.error());
        if (done.error().is_from_server()) {
            // It has done nothing: the next run must not take it for one that may have.
            Answer back = co_await ask("ROLLBACK");
            if (back) {
                back = co_await ask("DELETE FROM trilith_migrations WHERE state = 'begun' AND " + key);
            }
            if (!back) {
                co_return refused(place_of(step), back.error());
            }
        }
        co_return status;
    }
    Answer noted = co_await ask("UPDATE trilith_migrations SET state = 'done' WHERE " + key);
    if (noted) {
        noted = co_await ask("COMMIT");
    }
    if (!noted) {
        co_return refused(place_of(step), noted.error());
    }
    console_.out(place_of(step) + (was_done ? " was done before\n" : " is done\n"));
    co_return kMigrationDone;
}

}  // namespace node
