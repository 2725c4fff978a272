#include "cluster/agent.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <format>
#include <optional>
#include <utility>

#include "cluster/cures.h"
#include "cluster/data_maker.h"
#include "cluster/data_origin.h"
#include "cluster/decide.h"
#include "cluster/durable_file.h"
#include "cluster/programs.h"
#include "cluster/settings.h"
#include "mariadb/kept_connection.h"
#include "mysql/native_password.h"
#include "net/read_buffer.h"
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
constexpr core::Duration kSettledTime = std::chrono::seconds(5);
// A mariadbd that is asked to end is given so long; then it is killed, which costs it a recovery.
constexpr core::Duration kStopTime = std::chrono::seconds(20);
// A primary answers the order to end at once, and then waits for its replicas.
constexpr core::Duration kShutdownTime = std::chrono::seconds(5);
// Besides what stops it: whether its data are to be replaced.
constexpr core::Duration kRecordLook = std::chrono::milliseconds(500);
constexpr size_t kOwnerMax = 4096;
constexpr uint64_t kLowRoom = 256ULL << 20;

// Notes are of every start, stop and connection of a replica; those of a recovery say how far it is.
bool is_worth_telling(std::string_view line) {
    bool is_banner = line.starts_with("Version: '");
    bool is_note = line.contains(" [Note] ");
    return !is_banner && (!is_note || line.contains("recover"));
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
      tools_(reactor, log, options_.executable, options_.place.directory),
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
    tools_.stop();
    stopping_.set();
}

void Agent::request_orderly_stop() {
    is_orderly_ = true;
    request_stop();
}

void Agent::hurry() {
    is_hurried_ = true;
    tools_.stop();
    stopping_.set();
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
    CO_TRY(std::string words, co_await tools_.run({found, "--version"}));
    CO_TRY_VOID(check_mariadbd_version(words));
    mariadbd_ = std::move(found);
    co_return Result<void>{};
}

// Data that another copy is to replace are put beside it, and stay there.
Result<void> Agent::put_aside(uint64_t renewal) {
    const std::string& directory = options_.place.directory;
    runtime::Descriptor lock = try_lock(directory + "/lock");
    if (!lock.is_open()) {
        return fail(ErrorKind::conflict, "an earlier mariadbd has not ended yet");
    }
    std::string aside = std::format("{}/data.aside-{}", directory, renewal);
    TRY_VOID(rename_to(directory + "/data", aside));
    has_to_keep_all_ = false;
    log_.warn("database", "the data of this server were put aside", {{"directory", aside}});
    return {};
}

Task<Result<void>> Agent::make_data() {
    const std::string& directory = options_.place.directory;
    CO_TRY(upstream::Topology topology, store_.read());
    uint64_t renewal = topology.renewal_of(options_.place.server);
    if (is_there(directory + "/data")) {
        if (renewal == 0 || origin_of(directory + "/data").renewal == renewal) {
            co_return Result<void>{};
        }
        CO_TRY_VOID(put_aside(renewal));
    }
    if (topology.primary == options_.place.server) {
        co_return fail(
            ErrorKind::not_found,
            std::format(
                "the data of the primary are gone from {}/data: nothing is put in their place; bring them "
                "back, or let another server become primary (trilith failover)",
                directory
            )
        );
    }
    CO_TRY_VOID(replace_durably(directory + "/owner", owner_text(options_.site, options_.place.server)));
    DataMaker maker({
        .reactor = reactor_,
        .log = log_,
        .config = config_,
        .secrets = secrets_,
        .tools = tools_,
        .place = options_.place,
        .places = options_.places,
        .shared = options_.shared,
        .progress = [this](std::string sentence) { tell("preparing", std::move(sentence)); },
    });
    co_return co_await maker.make(topology);
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
    StartRole role = start_role(topology, options_.place.server);
    if (role == StartRole::takes_back && !has_to_keep_all_) {
        command.emplace_back("--init-rpl-role=SLAVE");
    }
    ::unlink((options_.place.directory + "/socket").c_str());
    const std::string& directory = options_.place.directory;
    child::RunPlan plan =
        mariadb_plan(options_.executable, directory, directory + "/tmp", std::move(command));
    plan.is_told = is_worth_telling;
    plan.spec.held = lock.get();
    return child::ProgramRun::start(reactor_, log_, std::move(plan));
}

// The data of a primary that is stopped while commits wait for a replica would keep those commits, and the
// replica has them not: killed it takes them back, or keeps them as the primary that it still is. So a stop
// is a kill, and the next start a recovery of tenths of a second.
Task<void> Agent::stop_when_asked(child::ProgramRun& run) {
    while (!run.is_over()) {
        look_at_disk();
        if (!is_stopping_ && !is_hurried_ && !is_to_be_renewed()) {
            if (co_await stopping_.wait(reactor_.housekeeping_in(kRecordLook)) == Outcome::cancelled) {
                co_return;
            }
            continue;
        }
        auto topology = store_.read();
        bool is_primary = !topology || topology->primary == options_.place.server;
        bool is_asked = is_primary && is_orderly_ && !is_hurried_ && co_await ask_to_shut_down();
        if (is_asked) {
            log_.info("database", "the primary ends when every replica has all of it");
        } else if (is_primary || is_hurried_) {
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

// False: it cannot be asked.
Task<bool> Agent::ask_to_shut_down() {
    net::BufferPool buffers;
    net::SharedReadBuffer shared(buffers);
    const mariadb::LoginAccount account{
        .user = std::string(kManagerUser),
        .key = mysql::password_key(secrets_.manager),
    };
    mariadb::KeptConnection connection(reactor_, shared, options_.place.manager);
    auto answer =
        co_await connection.ask(account, "SHUTDOWN WAIT FOR ALL SLAVES", reactor_.now() + kShutdownTime);
    if (!answer) {
        log_.warn("database", "the primary is killed: it does not end", {{"reason", answer.error().message}});
    }
    co_return answer.has_value();
}

// A mariadbd on a full disk does not end: its writes wait for room.
void Agent::look_at_disk() {
    std::optional<uint64_t> room = free_bytes(options_.place.directory);
    if (!room) {
        return;
    }
    status_.free_bytes = *room;
    bool is_low = *room < kLowRoom;
    if (is_low && !is_disk_low_) {
        log_.warn(
            "database",
            "little room is left where the data are: when it is used up, writes wait",
            {{"directory", options_.place.directory}, {"free_bytes", std::to_string(*room)}}
        );
    }
    is_disk_low_ = is_low;
    if (status_.state == "running") {
        status_.sentence =
            is_low ? std::format("only {} MiB are free in {}", *room >> 20, options_.place.directory) : "";
    }
}

// An order wants its data replaced (put_aside()), and they are not yet.
bool Agent::is_to_be_renewed() const {
    auto topology = store_.read();
    uint64_t renewal = topology ? topology->renewal_of(options_.place.server) : 0;
    return renewal != 0 && origin_of(options_.place.directory + "/data").renewal != renewal;
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
    if (is_stopping_ || is_to_be_renewed()) {
        co_return;
    }
    ends_ = reactor_.now() - began >= kSettledTime ? 1 : ends_ + 1;
    auto topology = store_.read();
    core::Duration pause = topology ? restart_pause(*topology, options_.place.server, ends_) : kBlockedPause;
    std::string last_lines = run->last_lines().text();
    has_to_keep_all_ = has_to_keep_all_ || cannot_take_back(last_lines);
    std::string cure = cure_of(last_lines, options_.place);
    std::string sentence = "mariadbd " + run->end().how + (cure.empty() ? "" : ": " + cure);
    log_.error(
        "database",
        "mariadbd has ended",
        {{"how", sentence}, {"again_in", core::format_duration(pause)}, {"last_lines", std::move(last_lines)}}
    );
    tell("waiting", std::move(sentence));
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
    has_ended_ = true;
}

}  // namespace cluster
