#include "cluster/sql_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <format>

#include "cluster/data_origin.h"
#include "cluster/durable_file.h"
#include "cluster/programs.h"
#include "cluster/settings.h"
#include "mysql/gtid.h"
#include "runtime/descriptor.h"
#include "runtime/task_group.h"

namespace cluster {

using core::ErrorKind;
using core::fail;
using core::Result;
using runtime::Outcome;
using runtime::Task;

namespace {

constexpr core::Duration kStartLook = std::chrono::milliseconds(50);
constexpr size_t kHeadMax = 4096;  // bytes of the dump, in which the position stands

// What a dump inside one transaction does not see as it was when that began.
constexpr std::string_view kUnfitStatement =
    "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema NOT IN ('mysql', 'sys', "
    "'information_schema', 'performance_schema') AND (table_type NOT IN ('BASE TABLE', 'VIEW', 'SEQUENCE') "
    "OR engine <> 'InnoDB')";
// Definitions and accounts are in no transaction: while they are changed, what is read of them may be newer
// than the position. Counted at the server, since it runs.
constexpr std::string_view kDefinitionsStatement =
    "SELECT SUM(variable_value) FROM information_schema.global_status WHERE variable_name NOT LIKE "
    "'%temporary%' AND (variable_name LIKE 'com\\_create\\_%' OR variable_name LIKE 'com\\_alter\\_%' OR "
    "variable_name LIKE 'com\\_drop\\_%' OR variable_name LIKE 'com\\_rename\\_%' OR variable_name LIKE "
    "'com\\_grant%' OR variable_name LIKE 'com\\_revoke%' OR variable_name = 'com_truncate')";

std::string last_line(std::string_view text) {
    while (text.ends_with('\n')) {
        text.remove_suffix(1);
    }
    return std::string(text.substr(text.rfind('\n') + 1));
}

// Where in the source's binlogs the dump's transaction began: in its head, before any data,
// "-- CHANGE MASTER TO MASTER_LOG_FILE='binlog.000001', MASTER_LOG_POS=1954;". As a question for the GTID
// position that is the same.
Result<std::string> read_position_question(const std::string& file) {
    std::string head(kHeadMax, '\0');
    runtime::Descriptor open(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    ssize_t count = open.is_open() ? ::read(open.get(), head.data(), head.size()) : 0;
    head.resize(count > 0 ? static_cast<size_t>(count) : 0);
    constexpr std::string_view kBefore = "\n-- CHANGE MASTER TO MASTER_LOG_FILE='";
    constexpr std::string_view kBetween = "', MASTER_LOG_POS=";
    size_t begin = head.find(kBefore);
    size_t middle = begin == std::string::npos ? begin : head.find(kBetween, begin);
    size_t end = middle == std::string::npos ? middle : head.find(";\n", middle);
    bool is_one_line = end != std::string::npos && head.find('\n', begin + 1) == end + 1;
    if (is_one_line) {
        begin += kBefore.size();
        size_t place = middle + kBetween.size();
        return std::format(
            "SELECT BINLOG_GTID_POS('{}', {})",
            head.substr(begin, middle - begin),
            head.substr(place, end - place)
        );
    }
    return fail(ErrorKind::invalid, file + ": mariadb-dump has written no position");
}

}  // namespace

// What an earlier try left is in nobody's way, and nobody else reads what this one writes.
Result<void> SqlCopy::prepare() const {
    std::error_code ignored;
    std::filesystem::remove_all(place(), ignored);
    TRY_VOID(make_directory(place()));
    return replace_durably(
        accounts(),
        std::format("[client]\nuser = {}\npassword = {}\n", kAdminUser, world_.secrets.admin)
    );
}

Task<Result<std::string>> SqlCopy::ask(const std::string& socket, const std::string& statement) {
    CO_TRY(std::string client, find_program("mariadb"));
    CO_TRY(
        std::string said,
        co_await world_.tools.run(
            {client,
             "--defaults-file=" + accounts(),
             "--socket=" + socket,
             "--batch",
             "--skip-column-names",
             "--execute=" + statement}
        )
    );
    co_return last_line(said);
}

Task<Result<std::string>> SqlCopy::binlog_state(const Place& source) {
    CO_TRY_VOID(prepare());
    co_return co_await ask(source.directory + "/socket", "SELECT @@global.gtid_binlog_state");
}

Task<Result<void>> SqlCopy::check_tables(const Place& source) {
    CO_TRY(std::string unfit, co_await ask(source.directory + "/socket", std::string(kUnfitStatement)));
    if (unfit != "0") {
        co_return fail(
            ErrorKind::unsupported,
            std::format(
                "{} tables of {} are not InnoDB's, or keep their history: only mariadb-backup copies such "
                "ones, and only while writes do not wait for a replica (Debian: apt-get install "
                "mariadb-backup)",
                unfit,
                source.server
            )
        );
    }
    co_return Result<void>{};
}

Task<Result<void>> SqlCopy::dump(const Place& source) {
    CO_TRY(std::string program, find_program("mariadb-dump"));
    std::string socket = source.directory + "/socket";
    CO_TRY(std::string before, co_await ask(socket, std::string(kDefinitionsStatement)));
    runtime::TaskGroup watches(world_.reactor, 1);
    watches.spawn(follow_copy(world_, {.source = source.server, .place = place()}));
    auto dumped = co_await world_.tools.run(
        {program,
         "--defaults-file=" + accounts(),
         "--socket=" + socket,
         "--all-databases",
         "--single-transaction",
         "--master-data=2",
         "--routines",
         "--events",
         "--triggers",
         "--hex-blob",
         "--flush-privileges",
         "--max-allowed-packet=1G",
         "--result-file=" + text()}
    );
    watches.request_stop();
    co_await watches.join();
    if (!dumped) {
        co_return fail(std::move(dumped).error());
    }
    CO_TRY(std::string after, co_await ask(socket, std::string(kDefinitionsStatement)));
    if (before != after) {
        co_return fail(
            ErrorKind::conflict,
            std::format("tables or accounts of {} were changed while they were copied", source.server)
        );
    }
    co_return Result<void>{};
}

Task<void> SqlCopy::run_server(std::vector<std::string> command, Server& server) {
    auto ended = co_await world_.tools.run(std::move(command));
    server.has_ended = true;
    if (!ended) {
        server.outcome = fail(std::move(ended).error());
    }
}

Task<Result<void>> SqlCopy::load_into(const Server& server) {
    std::string socket = place() + "/socket";
    while (!co_await ask(socket, "SELECT 1")) {
        bool is_over = server.has_ended || world_.tools.is_stopped();
        if (is_over || co_await world_.reactor.sleep_for(kStartLook) != Outcome::ready) {
            co_return fail(ErrorKind::cancelled, "the mariadbd that takes the copy has ended");
        }
    }
    CO_TRY_VOID(co_await ask(socket, "source " + text()));
    CO_TRY_VOID(co_await ask(socket, "SHUTDOWN"));
    co_return Result<void>{};
}

// By a mariadbd that only we reach.
Task<Result<void>> SqlCopy::load() {
    CO_TRY(std::string mariadbd, find_program("mariadbd"));
    Server server;
    runtime::TaskGroup servers(world_.reactor, 1);
    servers.spawn(run_server(
        {mariadbd,
         "--no-defaults",
         "--datadir=" + target_,
         "--tmpdir=" + world_.place.directory + "/tmp",
         "--socket=" + place() + "/socket",
         "--pid-file=" + place() + "/pid",
         "--skip-networking",
         "--skip-log-bin",
         "--character-set-server=utf8mb4",
         "--max-allowed-packet=1G",
         "--innodb-flush-log-at-trx-commit=0",
         "--innodb-buffer-pool-size=64M",
         "--innodb-log-file-size=64M"},
        server
    ));
    auto loaded = co_await load_into(server);
    if (!loaded) {
        world_.tools.kill();
    }
    co_await servers.join();
    co_return loaded ? std::move(server.outcome) : std::move(loaded);
}

Task<Result<std::string>> SqlCopy::make(const Place& source) {
    CO_TRY_VOID(prepare());
    CO_TRY_VOID(co_await check_tables(source));
    world_.log.info("database", "copies the data of the primary as SQL", {{"from", source.server}});
    CO_TRY_VOID(co_await dump(source));
    CO_TRY(std::string question, read_position_question(text()));
    CO_TRY(std::string position, co_await ask(source.directory + "/socket", question));
    if (!mysql::GtidPosition::read(position)) {
        co_return fail(ErrorKind::invalid, std::format("\"{}\" is no GTID position", position));
    }
    world_.progress("loads the copy of the data of " + source.server);
    CO_TRY_VOID(co_await load());
    std::error_code ignored;
    std::filesystem::remove_all(place(), ignored);
    co_return position;
}

}  // namespace cluster
