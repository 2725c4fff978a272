#include "node/verbs/drain_watch.h"

#include <algorithm>
#include <chrono>
#include <format>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "node/control/json.h"
#include "node/serve/backend_name.h"
#include "node/status/json.h"

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

// `only`: empty for all of them.
std::vector<Draining> draining_of(const std::vector<ServerAnswer>& answers, const std::string& only) {
    std::vector<Draining> draining;
    for (const ServerAnswer& answer : answers) {
        auto reply = answer.is_good() ? parse_changes(*answer.body) : Result<OrderReply>();
        for (size_t at = 0; reply && at < reply->changes.size(); ++at) {
            const std::string& backend = reply->changes[at].backend;
            if (only.empty() || only == backend) {
                draining.push_back({.server = answer.server, .backend = backend});
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

// What it is now, of a pool or of the SQL router.
struct Seen {
    bool is_node = false;
    bool is_primary = false;
    bool is_draining = false;
    std::string state;
    int64_t running = 0;
};

Seen seen_of(const BackendStatus& backend) {
    return {
        .is_draining = backend.state == "draining" || backend.state == "drained",
        .state = backend.state,
        .running = std::max<int64_t>(backend.in_flight, 0),
    };
}

// A primary goes on with writes, which nobody waits for.
Seen seen_of(const RouterNodeStatus& node) {
    return {
        .is_node = true,
        .is_primary = node.state == "primary",
        .is_draining = node.override.admin == "drain",
        .state = node.override.admin ? "disabled" : "enabled",
        .running = node.state == "primary" ? 0 : std::max<int64_t>(node.running(), 0),
    };
}

std::optional<Seen> find_draining(std::span<const ServerStatus> statuses, const Draining& wanted) {
    for (const ServerStatus& status : statuses) {
        if (status.server != wanted.server) {
            continue;
        }
        for (const PoolStatus& pool : status.pools) {
            for (const BackendStatus& backend : pool.backends) {
                if (pool.name + "/" + backend.name == wanted.backend) {
                    return seen_of(backend);
                }
            }
        }
        for (size_t at = 0; status.router && at < status.router->nodes.size(); ++at) {
            const RouterNodeStatus& node = status.router->nodes[at];
            bool is_there = node.state != "removed";
            if (is_there && std::format("{}/{}", kDatabasePool, node.name) == wanted.backend) {
                return seen_of(node);
            }
        }
    }
    return std::nullopt;
}

// What still runs, all servers together.
struct Running {
    int64_t count = 0;
    std::string_view thing = "request";
    bool is_primary = false;  // whose writes go on
};

Result<Running> count_running(
    std::span<const ServerStatus> statuses,
    const std::vector<Draining>& draining,
    bool awaits_move
) {
    Running running;
    for (const Draining& one : draining) {
        std::optional<Seen> seen = find_draining(statuses, one);
        if (!seen) {
            return fail(
                ErrorKind::not_found,
                std::format("{} is not there any more: a reload removed it", one.backend)
            );
        }
        if (!seen->is_draining) {
            return fail(
                ErrorKind::conflict,
                std::format("{} is {}: somebody took the drain back", one.backend, seen->state)
            );
        }
        running.count += seen->running + (seen->is_primary && awaits_move ? 1 : 0);
        running.thing = seen->is_node ? "statement" : "request";
        running.is_primary = running.is_primary || seen->is_primary;
    }
    return running;
}

std::string running_text(const Running& running) {
    return running.count == 1 ? std::format("1 {} runs", running.thing)
                              : std::format("{} {}s run", running.count, running.thing);
}

// Says how many there are whenever that has changed: on a terminal in one line, else each in its
// own.
class Progress {
public:
    Progress(Console& console, bool is_quiet) : console_(console), is_quiet_(is_quiet) {}

    void show(const std::string& backend, const Running& running) {
        if (!is_quiet_ && running.count != shown_) {
            std::string text = std::format("{}: {} on it", backend, running_text(running));
            console_.out(console_.is_terminal ? "\r\x1b[K" + text : text + "\n");
            shown_ = running.count;
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
    const std::vector<Draining> draining = draining_of(answers, options.backend);
    if (draining.empty()) {
        return {};
    }
    const std::string& name = draining.front().backend;
    const core::Instant deadline = options.since.value_or(console.os.now()) + options.timeout;
    Progress progress(console, options.is_quiet);
    for (core::Duration next = kFirstPause;; next = std::min(next * 2, kLongestPause)) {
        auto statuses = ask_status(site, console.os);
        auto running = statuses ? count_running(*statuses, draining, options.awaits_move)
                                : Result<Running>(fail(std::move(statuses).error()));
        core::Duration left = deadline - console.os.now();
        bool is_over = !running || running->count == 0 || left <= core::Duration::zero();
        if (!is_over) {
            progress.show(name, *running);
            pause(console.os, std::min(next, left));
            continue;
        }
        bool is_drained = running && running->count == 0;
        bool says = is_drained && !running->is_primary;
        progress.end(says ? std::format("{} is drained: no {} runs on it", name, running->thing) : "");
        if (!running) {
            return fail(std::move(running).error());
        }
        if (!is_drained) {
            std::string after = core::format_duration(options.timeout);
            return fail(
                ErrorKind::timed_out,
                std::format("{}: {} on it after {}; it stays draining", name, running_text(*running), after)
            );
        }
        return {};
    }
}

}  // namespace node
