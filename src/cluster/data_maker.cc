#include "cluster/data_maker.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <format>
#include <optional>

#include "cluster/data_origin.h"
#include "cluster/durable_file.h"
#include "cluster/extra.h"
#include "cluster/programs.h"
#include "cluster/settings.h"
#include "cluster/sql_copy.h"
#include "core/panic.h"
#include "mysql/gtid.h"
#include "runtime/task_group.h"

namespace cluster {

using core::ErrorKind;
using core::fail;
using core::Result;
using runtime::Outcome;
using runtime::Task;

namespace {

constexpr core::Duration kTemplateLook = std::chrono::milliseconds(20);
// A history that is longer is replayed slower than it is copied.
constexpr uint64_t kShortHistory = 64ULL << 20;
constexpr core::Duration kProgressLook = std::chrono::milliseconds(500);
constexpr core::Duration kProgressLine = std::chrono::seconds(5);
// A copy that gets no further holds up the primary's commits: it waits for one that waits for a replica.
constexpr core::Duration kStallTime = std::chrono::seconds(15);
constexpr size_t kPositionMax = 4096;
// Larger ones take minutes to read and write as SQL.
constexpr uint64_t kSqlCopyMax = 1ULL << 30;

// "binlog.000001\t3460\t0-985333760-12\n"; the last field is empty where nothing was ever written.
Result<std::string> read_backup_position(const std::string& file) {
    TRY(auto text, read_small_file(file, kPositionMax));
    size_t tab = text ? text->rfind('\t') : std::string::npos;
    if (tab == std::string::npos) {
        return fail(ErrorKind::invalid, file + ": mariadb-backup has written no position");
    }
    std::string position = text->substr(tab + 1);
    position.erase(std::ranges::find(position, '\n'), position.end());
    if (!mysql::GtidPosition::read(position)) {
        return fail(ErrorKind::invalid, std::format("{}: \"{}\" is no GTID position", file, position));
    }
    return position;
}

}  // namespace

Task<void> follow_copy(const DataMakerWorld& world, CopyWatch watch) {
    uint64_t before = 0;
    core::Instant grown = world.reactor.now();
    core::Instant told = grown;
    while (co_await world.reactor.sleep_for(kProgressLook) == Outcome::ready) {
        uint64_t copied = bytes_below(watch.place);
        core::Instant now = world.reactor.now();
        std::string of = watch.bytes == 0 ? "" : std::format(" of about {}", watch.bytes >> 20);
        std::string progress = std::format("copies the data of {}: {}{} MiB", watch.source, copied >> 20, of);
        if (copied != before) {
            before = copied;
            grown = now;
        } else if (now - grown >= kStallTime) {
            world.tools.kill();
        }
        if (now - told >= kProgressLine) {
            told = now;
            world.log.info("database", progress);
        }
        world.progress(std::move(progress));
    }
}

// Once for the whole site: servers that are copies of it begin with the same content, accounts included.
Task<Result<void>> DataMaker::make_template() {
    std::string home = world_.shared + "/template";
    CO_TRY_VOID(make_directory(home));
    runtime::Descriptor lock = try_lock(home + "/lock");
    while (!lock.is_open()) {
        if (co_await world_.reactor.sleep_for(kTemplateLook) != Outcome::ready || world_.tools.is_stopped()) {
            co_return fail(ErrorKind::cancelled, "the server stops");
        }
        lock = try_lock(home + "/lock");
    }
    if (is_there(home + "/data")) {
        co_return Result<void>{};
    }
    std::error_code ignored;
    std::filesystem::remove_all(home + "/data.new", ignored);
    CO_TRY_VOID(replace_durably(home + "/accounts.sql", first_accounts(world_.config, world_.secrets)));
    CO_TRY(std::string install, find_program("mariadb-install-db"));
    auto made = co_await world_.tools.run(
        {install,
         "--no-defaults",
         "--datadir=" + home + "/data.new",
         "--extra-file=" + home + "/accounts.sql",
         "--skip-test-db",
         "--skip-name-resolve",
         "--auth-root-authentication-method=socket",
         "--auth-root-socket-user=root",
         "--innodb-log-file-size=16M"}
    );
    ::unlink((home + "/accounts.sql").c_str());
    if (!made) {
        co_return fail(std::move(made).error());
    }
    co_return rename_to(home + "/data.new", home + "/data");
}

Task<Result<void>> DataMaker::copy_template() {
    CO_TRY_VOID(co_await make_template());
    CO_TRY(std::string copy, find_program("cp"));
    auto copied =
        co_await world_.tools.run({copy, "-a", "--sparse=always", world_.shared + "/template/data", fresh()});
    if (!copied) {
        co_return fail(std::move(copied).error());
    }
    co_return Result<void>{};
}

Result<void> DataMaker::check_room(const Place& source, uint64_t times) const {
    uint64_t bytes = bytes_below(source.directory + "/data");
    std::optional<uint64_t> room = free_bytes(world_.place.directory);
    if (room && *room < bytes * times) {
        return fail(
            ErrorKind::io,
            std::format(
                "{}: the data of {} are {} MiB, and {} MiB are free: make room",
                world_.place.directory,
                source.server,
                bytes >> 20,
                *room >> 20
            )
        );
    }
    return {};
}

Task<Result<void>> DataMaker::back_up(const Place& source) {
    CO_TRY(std::string backup, find_program("mariadb-backup"));
    std::string settings = world_.place.directory + "/tmp/copy.cnf";
    CO_TRY_VOID(replace_durably(
        settings,
        std::format(
            "[mariadb-backup]\nuser = {}\npassword = {}\nsocket = {}/socket\ndatadir = {}/data\n",
            kAdminUser,
            world_.secrets.admin,
            source.directory,
            source.directory
        )
    ));
    uint64_t bytes = bytes_below(source.directory + "/data");
    CO_TRY_VOID(check_room(source, 1));
    world_.log.info(
        "database",
        "copies the data of the primary",
        {{"from", source.server}, {"bytes", std::to_string(bytes)}}
    );
    runtime::TaskGroup watches(world_.reactor, 1);
    watches.spawn(follow_copy(world_, {.source = source.server, .place = fresh(), .bytes = bytes}));
    auto copied = co_await world_.tools.run(
        {backup, "--defaults-file=" + settings, "--backup", "--target-dir=" + fresh()}
    );
    watches.request_stop();
    co_await watches.join();
    ::unlink(settings.c_str());
    if (copied) {
        world_.progress("makes the copy of the data of " + source.server + " consistent");
        copied = co_await world_.tools.run({backup, "--prepare", "--target-dir=" + fresh()});
    }
    if (!copied) {
        co_return fail(
            copied.error().kind(),
            std::format("copying the data of {} begins anew: {}", source.server, copied.error().context())
        );
    }
    co_return Result<void>{};
}

// Started once by itself, reachable by nobody, only to write down where in the primary's history the copy
// stands: its binlogs begin there, as if they had all that came before. Without that, a server that stands
// exactly there could not replicate from this one, were it primary.
Task<Result<void>> DataMaker::set_position(const std::string& position, const std::string& state) {
    CO_TRY(std::string mariadbd, find_program("mariadbd"));
    std::string temporary = world_.place.directory + "/tmp";
    CO_TRY_VOID(replace_durably(
        temporary + "/position.sql",
        std::format(
            "SET GLOBAL gtid_slave_pos = '{}';\nSET GLOBAL gtid_binlog_state = '{}';\nSHUTDOWN;\n",
            position,
            state
        )
    ));
    auto set = co_await world_.tools.run(
        {mariadbd,
         "--no-defaults",
         "--datadir=" + fresh(),
         "--tmpdir=" + temporary,
         "--socket=" + temporary + "/socket",
         "--pid-file=" + temporary + "/pid",
         "--init-file=" + temporary + "/position.sql",
         "--skip-networking",
         "--log-bin=binlog",
         "--innodb-buffer-pool-size=32M",
         "--innodb-log-file-size=64M"}
    );
    if (!set) {
        co_return fail(std::move(set).error());
    }
    co_return Result<void>{};
}

// Where it is recorded that no write is acknowledged without a replica, and that none acknowledges, commits
// wait; mariadb-backup would wait for them, and they wait for the replica whose data it copies.
Result<bool> DataMaker::wants_sql(const Place& source, const upstream::Topology& topology) const {
    auto backup = find_program("mariadb-backup");
    if (!backup) {
        uint64_t bytes = bytes_below(source.directory + "/data");
        if (bytes > kSqlCopyMax) {
            return fail(
                backup.error().kind(),
                std::format(
                    "the data of {} are {} MiB, and above {} only mariadb-backup copies them: {}",
                    source.server,
                    bytes >> 20,
                    kSqlCopyMax >> 20,
                    backup.error().context()
                )
            );
        }
        return true;
    }
    return world_.config.alone == Alone::hold && topology.durability == upstream::Durability::lossless &&
           topology.with_standing(upstream::Standing::acker).empty();
}

Task<Result<std::string>> DataMaker::copy_running(const Place& source, const upstream::Topology& topology) {
    std::string position;
    CO_TRY(bool is_sql, wants_sql(source, topology));
    CO_TRY(std::string before, co_await SqlCopy(world_, fresh()).binlog_state(source));
    if (is_sql) {
        CO_TRY_VOID(check_room(source, 2));
        CO_TRY_VOID(co_await copy_template());
        CO_TRY(position, co_await SqlCopy(world_, fresh()).make(source));
    } else {
        CO_TRY_VOID(co_await back_up(source));
        CO_TRY(position, read_backup_position(fresh() + "/xtrabackup_binlog_info"));
    }
    auto state = state_text_at(before, position);
    if (!state) {
        co_return fail(
            ErrorKind::invalid,
            std::format("{} tells no binlog state: {}", source.server, before)
        );
    }
    CO_TRY_VOID(co_await set_position(position, *state));
    co_return position;
}

Task<Result<void>> DataMaker::make(const upstream::Topology& topology) {
    const std::string& directory = world_.place.directory;
    ASSERT(!is_there(directory + "/data"));
    if (is_there(fresh())) {
        CO_TRY(std::string remove, find_program("rm"));
        auto removed = co_await world_.tools.run({remove, "-rf", fresh()});
        if (!removed) {
            co_return fail(std::move(removed).error());
        }
    }
    DataOrigin origin{.renewal = topology.renewal_of(world_.place.server)};
    auto source = std::ranges::find(world_.places, topology.primary, &Place::server);
    bool is_copied = topology.epoch > 0 && source != world_.places.end() &&
                     !has_short_whole_history(source->directory + "/data", kShortHistory);
    if (is_copied) {
        origin.source = source->server;
        CO_TRY(origin.position, co_await copy_running(*source, topology));
    } else {
        world_.progress("makes the data directory");
        CO_TRY_VOID(co_await copy_template());
    }
    CO_TRY_VOID(record_origin(fresh(), origin));
    co_return rename_to(fresh(), directory + "/data");
}

}  // namespace cluster
