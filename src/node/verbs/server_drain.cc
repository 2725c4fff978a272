#include "node/verbs/server_drain.h"

#include <algorithm>
#include <format>
#include <set>
#include <utility>

#include "core/joined.h"
#include "node/control/json.h"
#include "node/serve/backend_name.h"
#include "node/status/json.h"
#include "node/verbs/database_verbs.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

// For a moment nobody leads, when the server that led has ended.
constexpr core::Duration kLeaderTime = std::chrono::seconds(15);
constexpr core::Duration kLeaderPause = std::chrono::milliseconds(200);

struct Reply {
    std::string server;  // that gave it
    OrderReply order;
};

std::vector<Reply> replies_of(const std::vector<ServerAnswer>& answers) {
    std::vector<Reply> replies;
    for (const ServerAnswer& answer : answers) {
        if (auto order = answer.is_good() ? parse_changes(*answer.body) : Result<OrderReply>()) {
            replies.push_back({.server = answer.server, .order = *std::move(order)});
        }
    }
    return replies;
}

bool is_database(std::string_view backend) { return backend.starts_with(std::string(kDatabasePool) + "/"); }

// Each once, databases last.
std::vector<std::string> backends_of(const std::vector<Reply>& replies) {
    std::vector<std::string> names;
    for (const Reply& reply : replies) {
        for (const BackendChange& change : reply.order.changes) {
            if (std::ranges::find(names, change.backend) == names.end()) {
                names.push_back(change.backend);
            }
        }
    }
    std::ranges::stable_partition(names, [](const std::string& name) { return !is_database(name); });
    return names;
}

Result<std::vector<ServerStatus>> statuses_of(const RunningSite& site, Console& console) {
    std::vector<ServerStatus> statuses;
    ControlCall call{.method = http::Method::get, .path = "/v1/status", .body = {}};
    for (const ServerAnswer& answer : site.ask(console.os, call)) {
        if (answer.is_good()) {
            TRY(ServerStatus status, parse_status_json(*answer.body));
            statuses.push_back(std::move(status));
        }
    }
    return statuses;
}

// Whom nobody reads at because an operator said so.
std::set<std::string> idled_nodes(const std::vector<ServerStatus>& statuses) {
    std::set<std::string> names;
    for (const ServerStatus& status : statuses) {
        for (size_t at = 0; status.router && at < status.router->nodes.size(); ++at) {
            if (status.router->nodes[at].override.admin) {
                names.insert(status.router->nodes[at].name);
            }
        }
    }
    return names;
}

// Where the primary is to go: not to a server that is drained as well. Empty: wherever is best.
Result<std::string> choose_new_place(
    const std::vector<ServerStatus>& statuses,
    const ServerStatus& leader,
    const std::string& server
) {
    std::set<std::string> idled = idled_nodes(statuses);
    std::vector<const DatabaseServerStatus*> others;
    size_t all = 0;
    for (const DatabaseServerStatus& other : leader.database->servers) {
        all += other.server == server ? 0 : 1;
        if (other.server != server && !idled.contains(other.server)) {
            others.push_back(&other);
        }
    }
    if (others.empty() && all > 0) {
        return fail(ErrorKind::conflict, "every other database server is drained or disabled, too");
    }
    if (others.size() == all) {
        return "";
    }
    auto best = std::ranges::find_if(others, &DatabaseServerStatus::acknowledges);
    return (best == others.end() ? others.front() : *best)->server;
}

bool is_primary_at(const std::vector<ServerStatus>& statuses, const std::string& server) {
    return std::ranges::any_of(statuses, [&](const ServerStatus& status) {
        return status.database && status.database->primary == server;
    });
}

// Gives how it moved; empty: it is not there.
Result<std::string> move_primary_away(const RunningSite& site, const std::string& server, Console& console) {
    core::Instant deadline = console.os.now() + kLeaderTime;
    for (;;) {
        TRY(std::vector<ServerStatus> statuses, statuses_of(site, console));
        if (!is_primary_at(statuses, server)) {
            return "";
        }
        auto leader = std::ranges::find_if(statuses, [](const ServerStatus& status) {
            return status.database && status.database->leads;
        });
        if (leader != statuses.end()) {
            TRY(std::string target, choose_new_place(statuses, *leader, server));
            RunningSite leading = site;
            TRY_VOID(leading.choose(leader->server));
            return order_switchover(leading, target, console);
        }
        if (console.os.now() >= deadline) {
            return fail(ErrorKind::not_found, "no server leads the database cluster just now");
        }
        pause(console.os, kLeaderPause);
    }
}

}  // namespace

std::string ordered_server(const std::vector<ServerAnswer>& answers) {
    for (const Reply& reply : replies_of(answers)) {
        if (!reply.order.server.empty()) {
            return reply.order.server;
        }
    }
    return "";
}

std::vector<std::string> server_remarks(const std::vector<ServerAnswer>& answers) {
    std::vector<std::string> remarks;
    for (const Reply& reply : replies_of(answers)) {
        for (const std::string& remark : reply.order.remarks) {
            if (std::ranges::find(remarks, remark) == remarks.end()) {
                remarks.push_back(remark);
            }
        }
    }
    return remarks;
}

std::string server_changes_text(const std::vector<ServerAnswer>& answers) {
    const std::vector<Reply> replies = replies_of(answers);
    std::string text;
    for (const std::string& name : backends_of(replies)) {
        std::vector<ServerLines> lines;
        for (const Reply& reply : replies) {
            auto change = std::ranges::find(reply.order.changes, name, &BackendChange::backend);
            if (change != reply.order.changes.end()) {
                lines.push_back({.server = reply.server, .lines = {name + ": " + change->sentence}});
            }
        }
        text += merge_lines(lines, lines.size());
    }
    return text.empty() ? "nothing to change\n" : text;
}

Result<ServerDrained> end_server_drain(
    const RunningSite& site,
    const std::vector<ServerAnswer>& answers,
    const ServerDrainOptions& options,
    Console& console
) {
    const std::string server = ordered_server(answers);
    const std::vector<std::string> backends = backends_of(replies_of(answers));
    const std::vector<std::string> remarks = server_remarks(answers);
    if (backends.empty()) {
        std::string why =
            std::format("no server that runs sends anything to {}: there is nothing to drain", server);
        return fail(ErrorKind::not_found, remarks.empty() ? why : why + "; " + core::joined(remarks, "; "));
    }
    auto say = [&](const std::string& line) {
        if (!options.watch.is_quiet) {
            console.out(line + "\n");
        }
    };
    DrainWatchOptions watch = options.watch;
    watch.since = console.os.now();
    watch.awaits_move = true;
    auto moved = move_primary_away(site, server, console);
    if (!moved) {
        return fail(
            moved.error().kind(),
            std::format(
                "the primary cannot move away from {0}: {1}; {2} stay{3} drained until `trilith enable {0}`",
                server,
                moved.error().context(),
                core::joined(backends, " and "),
                backends.size() == 1 ? "s" : ""
            )
        );
    }
    if (!moved->empty()) {
        say(*moved);
    }
    for (size_t at = 0; options.is_waiting && at < backends.size(); ++at) {
        watch.backend = backends[at];
        TRY_VOID(wait_until_drained(site, answers, watch, console));
    }
    if (options.is_waiting) {
        say(std::format("{} can be switched off{}", server, remarks.empty() ? "" : ", but for this:"));
        for (const std::string& remark : remarks) {
            say("  " + remark);
        }
    }
    return ServerDrained{.moved = *std::move(moved)};
}

}  // namespace node
