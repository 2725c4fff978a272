#include "cluster/set_aside.h"

#include <unistd.h>

#include <algorithm>
#include <format>

#include "cluster/durable_file.h"
#include "cluster/programs.h"
#include "cluster/settings.h"

namespace cluster {

using core::Result;
using runtime::Task;

std::string aside_file(const std::string& shared, std::string_view server, const Extra& extra) {
    const mysql::Gtid& last = extra.last;
    return std::format("{}/aside/{}-{}-{}-{}.sql", shared, server, last.domain, last.server, last.sequence);
}

bool is_set_aside(const std::string& shared, std::string_view server, const std::vector<Extra>& extra) {
    return std::ranges::all_of(extra, [&](const Extra& one) {
        return is_there(aside_file(shared, server, one));
    });
}

SetAside::SetAside(
    runtime::Reactor& reactor,
    core::Log& log,
    const Secrets& secrets,
    std::string shared,
    std::string executable
)
    : log_(log),
      secrets_(secrets),
      shared_(std::move(shared)),
      tools_(reactor, log, std::move(executable), shared_ + "/aside") {}

Task<Result<void>> SetAside::save_one(const Place& place, const Extra& extra, const std::string& first_log) {
    std::string file = aside_file(shared_, place.server, extra);
    std::string fresh = file + ".new";
    std::string settings = shared_ + "/aside/client.cnf";
    CO_TRY(std::string binlog, find_program("mariadb-binlog"));
    ::unlink(fresh.c_str());
    CO_TRY_VOID(replace_durably(
        settings,
        std::format("[client]\nuser = {}\npassword = {}\n", kReplicaUser, secrets_.replica)
    ));
    std::vector<std::string> command{
        binlog,
        "--defaults-file=" + settings,
        "--read-from-remote-server",
        "--host=" + place.manager.host_string(),
        std::format("--port={}", place.manager.port()),
        std::format("--server-id={}", extra.last.server),
        "--verbose",
        "--result-file=" + fresh,
        "--to-last-log",
    };
    if (extra.after != 0) {
        command.push_back(
            std::format("--start-position={}-{}-{}", extra.last.domain, extra.last.server, extra.after)
        );
    }
    command.push_back(first_log);
    auto written = co_await tools_.run(std::move(command));
    ::unlink(settings.c_str());
    if (!written) {
        co_return std::unexpected(std::move(written).error());
    }
    CO_TRY_VOID(rename_to(fresh, file));
    log_.warn(
        "database",
        "what a server has and the primary has not was written to a file",
        {{"server", place.server}, {"transactions", describe_extra({extra})}, {"file", file}}
    );
    co_return Result<void>{};
}

Task<Result<void>> SetAside::save(
    const Place& place,
    const std::vector<Extra>& extra,
    const std::string& first_log
) {
    CO_TRY_VOID(make_directory(shared_ + "/aside"));
    CO_TRY_VOID(make_directory(shared_ + "/aside/tmp"));
    for (const Extra& one : extra) {
        if (!is_there(aside_file(shared_, place.server, one))) {
            CO_TRY_VOID(co_await save_one(place, one, first_log));
        }
    }
    co_return Result<void>{};
}

}  // namespace cluster
