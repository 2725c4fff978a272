#include "node/up/command.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "core/log.h"
#include "node/config/file.h"
#include "node/config/paths.h"
#include "node/config/public_address.h"
#include "node/log/up_log.h"
#include "node/serve/readiness.h"
#include "node/serve/site_paths.h"
#include "node/serve/site_places.h"
#include "node/serve/user_rule.h"
#include "node/up/control.h"
#include "node/up/migrations.h"
#include "node/up/progress.h"
#include "node/up/servers.h"
#include "node/up/stop.h"
#include "node/up/words.h"
#include "node/verbs/migrate_command.h"
#include "node/verbs/who_runs.h"
#include "runtime/descriptor.h"
#include "runtime/linux_os.h"

namespace node {

namespace {

// A server that ran for so long has recovered: its next pause is the first again.
constexpr core::Duration kSettledTime = std::chrono::seconds(30);
constexpr core::Duration kLook = std::chrono::milliseconds(100);
constexpr core::Duration kStopLook = std::chrono::milliseconds(10);  // while they end, step by step
// A server that has not told for so long that it works is stopped or stuck: it holds what others could take
// over, the lead of the databases first of all. Ten beats, so that a busy machine is not taken for that.
constexpr core::Duration kSilenceMax = std::chrono::seconds(5);
// One that ends tells no more while it writes the rest of its logs.
constexpr core::Duration kSilenceOfEndingMax = std::chrono::seconds(15);
// Who was not awake ourselves for so long cannot say who was silent.
constexpr core::Duration kOwnSilenceMax = std::chrono::seconds(1);

class Supervisor {
public:
    // `paths`: null where they cannot be told, which each server then says. All outlive it.
    Supervisor(const UpOptions& options, const Config& config, const SitePaths* paths, UpLog& kept)
        : options_(options),
          kept_(kept),
          ready_within_(ready_within(config)),
          identity_{
              config.site,
              getpid(),
              absolute_path(options.file),
              paths != nullptr ? paths->state_dir : "",
              {},
              {}
          },
          public_address_(public_address_text(config)),
          socket_(paths != nullptr ? paths->socket("up") : std::string()),
          began_(os_.now()),
          progress_(os_, config.site),
          migrations_(os_, log_, has_migrations(config) ? words_of("migrate") : std::vector<std::string>()),
          stop_(os_, log_, config, paths) {
        progress_.begin(log_);
        for (const ServerConfig& server : config.servers) {
            if (is_of_this_machine(os_, server)) {
                children_.push_back({.server = server.name, .started = {}, .start_at = {}});
                progress_.add_server(server.name);
            } else {
                elsewhere_.push_back(server);
                progress_.came_to(server.name, UpMark::good, "is of another machine");
            }
        }
        sigemptyset(&watched_);
        for (int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) {
            sigaddset(&watched_, number);
        }
        sigprocmask(SIG_BLOCK, &watched_, nullptr);
    }

    // Until all children have ended for good.
    int run() {
        if (children_.empty()) {
            log_.error(
                "up",
                "no server of the file has an address of this machine: correct [servers], or run it on "
                "theirs",
                {{"file", options_.file}, {"servers", list_of(elsewhere_)}}
            );
            return 2;
        }
        log_.info("up", "starting", {{"file", options_.file}, {"servers", std::to_string(children_.size())}});
        if (!elsewhere_.empty()) {
            log_.info(
                "up",
                "servers whose address is of another machine are left to that",
                {{"servers", list_of(elsewhere_)}}
            );
        }
        UpControl control({os_, log_, identity_, watched_, [this] { return server_statuses(children_); }});
        while (!is_stopping_ || is_any_running()) {
            start_due();
            if (is_served_) {
                migrations_.start_if_due(watched_, progress_.takes_output());
            }
            int number = control.wait(stop_.is_running() ? kStopLook : kLook);
            follow_readiness();  // first: whether somebody serves decides how all are stopped
            if (number == SIGINT || number == SIGTERM) {
                stop();
                control.thaw_all();
            } else if (number == SIGHUP) {
                signal_all(children_, SIGHUP);
            }
            if (!socket_.empty() && std::ranges::any_of(children_, &UpServer::has_listened)) {
                control.listen_once(socket_);
            }
            end_silent();
            reap();
            if (stop_.is_running() && stop_.look(running_servers(children_))) {
                signal_all(children_, SIGTERM);
            }
            progress_.follow(migrations_);
            progress_.draw();
        }
        progress_.end();
        return status_;
    }

private:
    void start_due() {
        for (UpServer& child : children_) {
            if (!is_stopping_ && child.pid == 0 && os_.now() >= child.start_at) {
                start(child);
            }
        }
    }

    [[nodiscard]] std::vector<std::string> words_of(const char* verb) const {
        std::vector<std::string> words{"trilith", verb, options_.file};
        if (!options_.directories.state.empty()) {
            words.insert(words.end(), {"--state-dir", options_.directories.state});
        }
        if (!options_.directories.runtime.empty()) {
            words.insert(words.end(), {"--runtime-dir", options_.directories.runtime});
        }
        return words;
    }

    void start(UpServer& child) {
        std::vector<std::string> words = words_of("serve");
        words.insert(words.end(), {"--server", child.server});
        int ends[2] = {-1, -1};
        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
            ends[0] = ends[1] = -1;
        }
        runtime::Descriptor telling(ends[1]);
        runtime::Descriptor output = progress_.takes_output() ? child.output.open() : runtime::Descriptor();
        child.readiness = ReadyReader(runtime::Descriptor(ends[0]));
        child.is_told = child.is_told_late = false;
        child.beat_at = core::Instant::never();
        child.started = os_.now();
        progress_.starts(child.server);
        child.pid = launch_server({
            .words = std::move(words),
            .telling = telling.get(),
            .output = output.get(),
            .unblocked = watched_,
        });
        if (child.pid < 0) {
            log_.error(
                "up",
                "cannot start a process",
                {{"server", child.server}, {"reason", std::strerror(-child.pid)}}
            );
            child.pid = 0;
            child.start_at = os_.now() + kLongestRestartPause;
        }
    }

    void follow_readiness() {
        for (UpServer& child : children_) {
            if (child.readiness.look()) {
                child.beat_at = os_.now();
            }
            child.output.look([&](std::string_view line) { progress_.take_line(line, child.server); });
            ReadyStage stage = child.readiness.stage();
            child.has_listened = child.has_listened || stage != ReadyStage::starting;
            if (child.pid > 0 && !is_stopping_) {
                progress_.follow(child.server, child.readiness);
                tell_readiness(child, stage);
            }
        }
    }

    // Its children end with it, as when it dies by itself.
    void end_silent() {
        core::Instant now = os_.now();
        bool was_awake = now - std::exchange(looked_at_, now) < kOwnSilenceMax;
        core::Duration longest = is_stopping_ ? kSilenceOfEndingMax : kSilenceMax;
        for (UpServer& child : children_) {
            if (child.pid <= 0 || child.beat_at.is_never()) {
                continue;
            }
            if (!was_awake) {
                child.beat_at = now;
            } else if (now - child.beat_at >= longest) {
                log_.error(
                    "up",
                    "a server is stopped or stuck: it is killed",
                    {{"server", child.server}, {"silent", core::format_duration(longest)}}
                );
                kill(child.pid, SIGKILL);
                child.beat_at = core::Instant::never();
            }
        }
    }

    void tell_readiness(UpServer& child, ReadyStage stage) {
        core::Duration after = os_.now() - child.started;
        if (stage == ReadyStage::ready && !child.is_told) {
            child.is_told = true;
            log_.info(
                "up",
                "a server is ready",
                {{"server", child.server}, {"after", whole_milliseconds(after)}}
            );
            tell_site();
        } else if (stage != ReadyStage::ready && !child.is_told_late && after > ready_within_) {
            child.is_told_late = true;
            is_served_ = true;  // as well as it can be: what it waits for may be the schema
            std::string reason = child.readiness.reason();
            log_.error(
                "up",
                "a server is not ready in time; it goes on trying",
                {{"server", child.server},
                 {"after", core::format_duration(ready_within_)},
                 {"reason", reason.empty() ? "it does not listen yet" : reason}}
            );
        }
    }

    // Once: later each server speaks for itself.
    void tell_site() {
        is_served_ = is_served_ || std::ranges::all_of(children_, &UpServer::is_told);
        if (!is_site_told_ && is_served_ && migrations_.is_done()) {
            is_site_told_ = true;
            log_.info(
                "up",
                "the site is up",
                {{"servers", std::to_string(children_.size())},
                 {"after", whole_milliseconds(os_.now() - began_)},
                 {"at", public_address_},
                 {"files", identity_.state_dir}}
            );
            progress_.is_up(public_address_, identity_.state_dir);
        }
    }

    void reap() {
        int status = 0;
        for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
            if (migrations_.reap(pid, status)) {
                progress_.follow(migrations_);  // its last lines stand before that the site is up
                tell_site();
                continue;
            }
            auto child = std::ranges::find(children_, pid, &UpServer::pid);
            if (child != children_.end()) {
                child->pid = 0;
                child->readiness.look();  // it may have listened for a moment
                child->has_listened = child->has_listened || child->readiness.stage() != ReadyStage::starting;
                has_ended(*child, status);
            }
        }
    }

    void has_ended(UpServer& child, int status) {
        bool has_exited = WIFEXITED(status);
        std::string how = has_exited ? "status " + std::to_string(WEXITSTATUS(status))
                                     : "signal " + std::to_string(WTERMSIG(status));
        if (is_stopping_) {
            log_.info("up", "stopped", {{"server", child.server}, {"by", how}});
            progress_.came_to(child.server, UpMark::good, "stopped, " + how);
            status_ = has_exited && WEXITSTATUS(status) == 0 ? status_ : 1;
            return;
        }
        core::Duration ran = os_.now() - child.started;
        if (!child.has_listened) {
            // Starting it again would say the same again.
            log_.error("up", "a server could not start: stopping", {{"server", child.server}, {"by", how}});
            progress_.came_to(child.server, UpMark::bad, "could not start: " + how);
            status_ = has_exited && WEXITSTATUS(status) == 2 ? 2 : 1;
            stop();
            return;
        }
        child.pause =
            ran >= kSettledTime ? kFirstRestartPause : std::min(child.pause * 2, kLongestRestartPause);
        child.start_at = os_.now() + child.pause;
        log_.error(
            "up",
            "a server died: it is started again",
            {{"server", child.server}, {"by", how}, {"in", core::format_duration(child.pause)}}
        );
        progress_.came_to(child.server, UpMark::bad, "died by " + how + ": is started again");
    }

    // In order; the second time, and where no server has come up yet, at once.
    void stop() {
        bool is_first = !std::exchange(is_stopping_, true);
        bool is_orderly = is_first && std::ranges::any_of(children_, &UpServer::has_listened);
        for (UpServer& child : children_) {
            child.beat_at = child.beat_at.is_never() ? os_.now() : child.beat_at;
        }
        progress_.stops();
        migrations_.stop();
        if (is_first && !is_orderly) {
            signal_all(children_, SIGTERM);
        } else if (is_orderly) {
            log_.info("up", "stopping: a second signal stops at once");
            stop_.begin();
        } else {
            stop_.give_up();
            // Two that are not one: to a server the second is the order to end at once.
            signal_all(children_, SIGTERM);
            signal_all(children_, SIGINT);
        }
    }

    [[nodiscard]] bool is_any_running() const {
        return migrations_.is_running() || !running_servers(children_).empty();
    }

    const UpOptions& options_;
    UpLog& kept_;
    core::Duration ready_within_;
    UpStatus identity_;
    std::string public_address_;
    std::string socket_;  // its own; empty: not known
    runtime::LinuxOs os_;
    core::Instant began_;
    core::Instant looked_at_ = began_;  // last, whether somebody was silent
    UpProgress progress_;
    core::Log log_{
        [this] { return os_.wall_time(); },
        [this](std::string_view line) { progress_.take_line(line); },
        [this](const core::LogEvent& event) { kept_.keep(event); },
    };
    UpServers children_;
    std::vector<ServerConfig> elsewhere_;  // what other machines run
    sigset_t watched_{};
    UpMigrations migrations_;
    UpStop stop_;
    bool is_stopping_ = false;
    bool is_served_ = false;  // every server was ready once, or is late
    bool is_site_told_ = false;
    int status_ = 0;
};

}  // namespace

int up(const UpOptions& options) {
    auto config = load_config(options.file);
    if (!config) {
        for (const ConfigError& error : config.error()) {
            std::string line = error.to_string() + "\n";
            [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
        }
        return 2;
    }
    auto paths = site_paths(options.directories, read_environment(), config->site);
    if (std::string who = paths ? who_runs(*paths, *config) : ""; !who.empty()) {
        std::string line = "trilith: " + who + "\n";
        [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
        return 1;
    }
    auto users = find_users(*config);  // where they cannot be told each server says so
    UpLog kept(config->log, paths ? paths->logs_dir() : "", users ? users->server : std::nullopt);
    Supervisor supervisor(options, *config, paths ? &*paths : nullptr, kept);
    return supervisor.run();
}

}  // namespace node
