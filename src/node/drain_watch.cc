#include "node/drain_watch.h"

#include <algorithm>
#include <chrono>
#include <format>
#include <span>
#include <string>

#include "node/control_json.h"
#include "node/status_json.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

constexpr core::Duration kFirstPause = std::chrono::milliseconds(50);
constexpr core::Duration kLongestPause = std::chrono::seconds(1);

// One backend on one server that is draining.
struct Draining {
    std::string server;
    std::string backend;  // "origin/b2"
};

std::vector<Draining> draining_of(const std::vector<ServerAnswer>& answers) {
    std::vector<Draining> draining;
    for (const ServerAnswer& answer : answers) {
        auto changes = answer.is_good() ? parse_changes(*answer.body) : Result<std::vector<BackendChange>>();
        if (changes) {
            for (const BackendChange& change : *changes) {
                draining.push_back({.server = answer.server, .backend = change.backend});
            }
        }
    }
    return draining;
}

Result<std::vector<ServerStatus>> ask_status(const RunningSite& site, runtime::Os& os) {
    std::vector<ServerStatus> statuses;
    for (ServerAnswer& answer :
         site.ask(os, {.method = http::Method::get, .path = "/v1/status", .body = {}})) {
        if (!answer.is_good()) {
            return fail(
                ErrorKind::not_found,
                std::format("{} cannot be watched any more: {}", answer.server, answer.body.error().context())
            );
        }
        TRY(ServerStatus status, parse_status_json(*answer.body));
        status.server = answer.server;
        statuses.push_back(std::move(status));
    }
    return statuses;
}

const BackendStatus* find_backend(std::span<const ServerStatus> statuses, const Draining& wanted) {
    for (const ServerStatus& status : statuses) {
        for (const PoolStatus& pool : status.pools) {
            for (const BackendStatus& backend : pool.backends) {
                if (status.server == wanted.server && pool.name + "/" + backend.name == wanted.backend) {
                    return &backend;
                }
            }
        }
    }
    return nullptr;
}

// The requests that still run, all servers together.
Result<int64_t> count_running(std::span<const ServerStatus> statuses, const std::vector<Draining>& draining) {
    int64_t running = 0;
    for (const Draining& one : draining) {
        const BackendStatus* backend = find_backend(statuses, one);
        if (backend == nullptr) {
            return fail(
                ErrorKind::not_found,
                std::format("{} is not there any more: a reload removed it", one.backend)
            );
        }
        if (backend->state != "draining" && backend->state != "drained") {
            return fail(
                ErrorKind::conflict,
                std::format("{} is {}: somebody took the drain back", one.backend, backend->state)
            );
        }
        running += std::max<int64_t>(backend->in_flight, 0);
    }
    return running;
}

std::string counted(int64_t running) {
    return running == 1 ? "1 request runs" : std::format("{} requests run", running);
}

// Says how many requests there are whenever that has changed: on a terminal in one line, else each in its
// own.
class Progress {
public:
    Progress(Console& console, bool is_quiet) : console_(console), is_quiet_(is_quiet) {}

    void show(const std::string& backend, int64_t running) {
        if (!is_quiet_ && running != shown_) {
            std::string text = std::format("{}: {} on it", backend, counted(running));
            console_.out(console_.is_terminal ? "\r\x1b[K" + text : text + "\n");
            shown_ = running;
        }
    }

    void end(const std::string& sentence) {
        if (console_.is_terminal && shown_ >= 0) {
            console_.out("\r\x1b[K");
        }
        if (!is_quiet_ && !sentence.empty()) {
            console_.out(sentence + "\n");
        }
    }

private:
    Console& console_;
    bool is_quiet_;
    int64_t shown_ = -1;
};

}  // namespace

Result<void> wait_until_drained(
    const RunningSite& site,
    const std::vector<ServerAnswer>& answers,
    const DrainWatchOptions& options,
    Console& console
) {
    const std::vector<Draining> draining = draining_of(answers);
    if (draining.empty()) {
        return {};
    }
    const std::string& name = draining.front().backend;
    const core::Instant deadline = console.os.now() + options.timeout;
    Progress progress(console, options.is_quiet);
    for (core::Duration next = kFirstPause;; next = std::min(next * 2, kLongestPause)) {
        auto statuses = ask_status(site, console.os);
        auto running = statuses ? count_running(*statuses, draining)
                                : Result<int64_t>(fail(std::move(statuses).error()));
        core::Duration left = deadline - console.os.now();
        bool is_over = !running || *running == 0 || left <= core::Duration::zero();
        if (!is_over) {
            progress.show(name, *running);
            pause(console.os, std::min(next, left));
            continue;
        }
        progress.end(running && *running == 0 ? name + " is drained: no request runs on it" : "");
        if (!running) {
            return fail(std::move(running).error());
        }
        if (*running > 0) {
            std::string after = core::format_duration(options.timeout);
            return fail(
                ErrorKind::timed_out,
                std::format("{}: {} on it after {}; it stays draining", name, counted(*running), after)
            );
        }
        return {};
    }
}

}  // namespace node
