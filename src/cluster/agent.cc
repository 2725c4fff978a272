#include "cluster/agent.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <format>
#include <utility>

#include "child/environment.h"
#include "cluster/decide.h"
#include "cluster/durable_file.h"
#include "cluster/programs.h"
#include "cluster/settings.h"
#include "runtime/task_group.h"

namespace cluster {

using core::ErrorKind;
using core::fail;
using core::Result;
using runtime::Outcome;
using runtime::Task;

namespace {

// After what blocks a start, the next try.
constexpr core::Duration kBlockedPause = std::chrono::seconds(2);
constexpr core::Duration kLockLook = std::chrono::milliseconds(20);
// A mariadbd that ran for so long has recovered: its next end counts as the first.
constexpr core::Duration kSettledTime = std::chrono::seconds(30);
// A mariadbd that is asked to end is given so long; then it is killed, which costs it a recovery.
constexpr core::Duration kStopTime = std::chrono::seconds(20);
constexpr size_t kOwnerMax = 4096;

bool is_there(const std::string& path) {
    struct stat found{};
    return ::lstat(path.c_str(), &found) == 0;
}

Result<void> rename_to(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) {
        return fail(core::Error::of_errno(errno, "renaming " + from + " to " + to));
    }
    return {};
}

// What an earlier attempt of ours left.
void remove_leftover(const std::string& path) {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
}

}  // namespace

Agent::Agent(
    runtime::Reactor& reactor,
    core::Log& log,
    const Config& config,
    const Secrets& secrets,
    AgentOptions options
)
    : reactor_(reactor),
      log_(log),
      config_(config),
      secrets_(secrets),
      options_(std::move(options)),
      store_(reactor.os(), options_.shared),
      stopping_(reactor) {
    tell("preparing", "");
}

Agent::~Agent() = default;

void Agent::tell(std::string state, std::string sentence) {
    bool is_news = status_.state != state || status_.sentence != sentence;
    status_.state = std::move(state);
    status_.sentence = std::move(sentence);
    if (is_news && status_.state == "blocked") {
        log_.error("database", "mariadbd cannot run", {{"reason", status_.sentence}});
    }
}

void Agent::request_stop() {
    is_stopping_ = true;
    stopping_.set();
}

void Agent::hurry() {
    is_hurried_ = true;
    stopping_.set();
}

child::RunPlan Agent::plan_of(std::vector<std::string> command) const {
    std::vector<std::string> inherited = child::own_environment();
    std::vector<std::pair<std::string, std::string>> configured{
        // In a common one, servers that start remove each other's temporary tables.
        {"TMPDIR", options_.place.directory + "/tmp"},
        {"PATH", search_path()},
    };
    return {
        .component = "database",
        .executable = options_.executable,
        .spec =
            {.name = "mariadbd",
             .directory = options_.place.directory,
             .user = std::nullopt,
             .group = {},
             .command = std::move(command)},
        .environment = child::program_environment(
            {.inherited = inherited, .configured = configured, .user = {}, .instance = "mariadbd", .port = {}}
        ),
    };
}

// Runs a program of MariaDB's to its end: what it wrote last. An error has that, too.
Task<Result<std::string>> Agent::run_tool(std::vector<std::string> command) {
    std::string name = command.front().substr(command.front().rfind('/') + 1);
    child::RunPlan plan = plan_of(std::move(command));
    plan.output = child::OutputUse::kept;
    auto started = child::ProgramRun::start(reactor_, log_, std::move(plan));
    if (!started) {
        co_return fail(std::move(started).error());
    }
    run_ = *std::move(started);
    co_await run_->serve();
    std::unique_ptr<child::ProgramRun> run = std::move(run_);
    std::string words = run->last_lines().text();
    if (run->end().cause != child::EndCause::exited || run->end().how != "exited with status 0") {
        co_return fail(ErrorKind::io, std::format("{} {}: {}", name, run->end().how, words));
    }
    co_return words;
}

Result<void> Agent::check_owner() const {
    const std::string& directory = options_.place.directory;
    TRY(auto owner, read_small_file(directory + "/owner", kOwnerMax));
    std::string ours = owner_text(options_.site, options_.place.server);
    if (owner && *owner != ours) {
        return fail(
            ErrorKind::conflict,
            std::format(
                "{} belongs to another server or site: name another place with [database] directory, or move "
                "it away",
                directory
            )
        );
    }
    if (!owner && is_there(directory + "/data")) {
        return fail(
            ErrorKind::conflict,
            std::format(
                "{}/data is there and was not made by Trilith, which leaves it alone: move it away, or name "
                "another place with [database] directory",
                directory
            )
        );
    }
    return {};
}

Task<Result<void>> Agent::check_version() {
    if (!mariadbd_.empty()) {
        co_return Result<void>{};
    }
    CO_TRY(std::string found, find_program("mariadbd"));
    CO_TRY(std::string words, co_await run_tool({found, "--version"}));
    CO_TRY_VOID(check_mariadbd_version(words));
    mariadbd_ = std::move(found);
    co_return Result<void>{};
}

// Once for the whole site: servers that are copies of it begin with the same content, accounts included.
Task<Result<void>> Agent::make_template() {
    std::string home = options_.shared + "/template";
    CO_TRY_VOID(make_directory(home));
    runtime::Descriptor lock = try_lock(home + "/lock");
    while (!lock.is_open() && !is_stopping_) {
        if (co_await reactor_.sleep_for(kLockLook) != Outcome::ready) {
            co_return fail(ErrorKind::cancelled, "the server stops");
        }
        lock = try_lock(home + "/lock");
    }
    if (is_there(home + "/data")) {
        co_return Result<void>{};
    }
    remove_leftover(home + "/data.new");
    CO_TRY_VOID(replace_durably(home + "/accounts.sql", first_accounts(config_, secrets_)));
    CO_TRY(std::string install, find_program("mariadb-install-db"));
    auto made = co_await run_tool(
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

Task<Result<void>> Agent::make_data() {
    const std::string& directory = options_.place.directory;
    if (is_there(directory + "/data")) {
        co_return Result<void>{};
    }
    CO_TRY(upstream::Topology topology, store_.read());
    if (topology.primary == options_.place.server) {
        co_return fail(
            ErrorKind::not_found,
            std::format(
                "the data of the primary are gone from {}/data: nothing is put in their place; bring them "
                "back, "
                "or let another server become primary",
                directory
            )
        );
    }
    tell("preparing", "makes the data directory");
    CO_TRY_VOID(co_await make_template());
    remove_leftover(directory + "/data.new");
    CO_TRY(std::string copy, find_program("cp"));
    auto copied = co_await run_tool(
        {copy, "-a", "--sparse=always", options_.shared + "/template/data", directory + "/data.new"}
    );
    if (!copied) {
        co_return fail(std::move(copied).error());
    }
    CO_TRY_VOID(replace_durably(directory + "/owner", owner_text(options_.site, options_.place.server)));
    co_return rename_to(directory + "/data.new", directory + "/data");
}

Task<Result<void>> Agent::prepare() {
    if (::geteuid() == 0) {
        co_return fail(
            ErrorKind::permission,
            "mariadbd is not run as root: name another user with the key user"
        );
    }
    const std::string& directory = options_.place.directory;
    std::error_code failed;
    std::filesystem::create_directories(directory, failed);
    if (failed) {
        co_return fail(ErrorKind::permission, std::format("{}: {}", directory, failed.message()));
    }
    ::chmod(directory.c_str(), 0700);
    CO_TRY_VOID(check_owner());
    CO_TRY_VOID(make_directory(directory + "/tmp"));
    CO_TRY_VOID(co_await check_version());
    CO_TRY_VOID(co_await make_data());
    co_return Result<void>{};
}

Result<std::unique_ptr<child::ProgramRun>> Agent::start(runtime::Descriptor lock) {
    // Behind the lock: whoever fenced this server has recorded by now who follows it.
    TRY(upstream::Topology topology, store_.read());
    TRY_VOID(
        replace_durably(settings_file(options_.place), settings_text(config_, options_.place, topology.epoch))
    );
    std::vector<std::string> command{mariadbd_, settings_word(options_.place)};
    if (start_role(topology, options_.place.server) == StartRole::takes_back) {
        command.emplace_back("--init-rpl-role=SLAVE");
    }
    ::unlink((options_.place.directory + "/socket").c_str());
    child::RunPlan plan = plan_of(std::move(command));
    plan.spec.held = lock.get();
    return child::ProgramRun::start(reactor_, log_, std::move(plan));
}

// The data of a primary that is stopped while commits wait for a replica would keep those commits, and the
// replica has them not: killed it takes them back, or keeps them as the primary that it still is. So a stop
// is a kill, and the next start a recovery of tenths of a second.
Task<void> Agent::stop_when_asked(child::ProgramRun& run) {
    while (!run.is_over()) {
        if (!is_stopping_ && !is_hurried_) {
            [[maybe_unused]] Outcome outcome = co_await stopping_.wait();
            if (outcome == Outcome::cancelled) {
                co_return;
            }
            continue;
        }
        auto topology = store_.read();
        bool is_primary = !topology || topology->primary == options_.place.server;
        if (is_primary || is_hurried_) {
            run.kill_all();
        } else {
            run.signal(SIGTERM);
        }
        core::Instant deadline = reactor_.now() + kStopTime;
        if (co_await stopping_.wait(deadline) == Outcome::cancelled) {
            co_return;
        }
        run.kill_all();
    }
}

Task<void> Agent::run_once() {
    runtime::Descriptor lock = try_lock(options_.place.directory + "/lock");
    if (!lock.is_open()) {
        tell("waiting", "the leader keeps it ended, or an earlier mariadbd has not ended yet");
        [[maybe_unused]] Outcome slept = co_await stopping_.wait(reactor_.now() + kLockLook);
        co_return;
    }
    auto started = start(std::move(lock));
    if (!started) {
        tell("blocked", started.error().context());
        [[maybe_unused]] Outcome slept = co_await stopping_.wait(reactor_.now() + kBlockedPause);
        co_return;
    }
    core::Instant began = reactor_.now();
    run_ = *std::move(started);
    ++status_.starts;
    tell("running", "");
    {
        runtime::TaskGroup watches(reactor_, 1);
        watches.spawn(stop_when_asked(*run_));
        co_await run_->serve();
        watches.request_stop();
        co_await watches.join();
    }
    std::unique_ptr<child::ProgramRun> run = std::move(run_);
    if (is_stopping_) {
        co_return;
    }
    ends_ = reactor_.now() - began >= kSettledTime ? 1 : ends_ + 1;
    auto topology = store_.read();
    core::Duration pause = topology ? restart_pause(*topology, options_.place.server, ends_) : kBlockedPause;
    log_.error(
        "database",
        "mariadbd has ended",
        {{"how", run->end().how},
         {"again_in", core::format_duration(pause)},
         {"last_lines", run->last_lines().text()}}
    );
    tell("waiting", "mariadbd " + run->end().how);
    [[maybe_unused]] Outcome slept = co_await stopping_.wait(reactor_.now() + pause);
}

Task<void> Agent::serve() {
    while (!is_stopping_) {
        auto prepared = co_await prepare();
        if (is_stopping_) {
            break;
        }
        if (!prepared) {
            tell("blocked", prepared.error().context());
            if (co_await stopping_.wait(reactor_.now() + kBlockedPause) == Outcome::cancelled) {
                break;
            }
            continue;
        }
        co_await run_once();
    }
    tell("stopped", "");
}

}  // namespace cluster
