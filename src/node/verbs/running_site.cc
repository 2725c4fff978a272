#include "node/verbs/running_site.h"

#include <algorithm>
#include <format>
#include <utility>

#include "core/joined.h"
#include "node/control/json.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

constexpr int kUnknownHere = 404;  // HTTP: the server has no such backend
// Long enough for a reload of a large file on a slow disk.
constexpr core::Duration kAnswerTime = std::chrono::seconds(30);

std::vector<std::string> sites_of(const std::vector<ServerSocket>& sockets) {
    std::vector<std::string> sites;
    for (const ServerSocket& socket : sockets) {
        if (sites.empty() || sites.back() != socket.site) {
            sites.push_back(socket.site);
        }
    }
    return sites;
}

ServerAnswer answer_of(const std::string& server, Result<ControlAnswer> answer) {
    if (!answer) {
        return {.server = server, .body = fail(std::move(answer).error()), .status = 0, .refusal = {}};
    }
    if (answer->status >= 200 && answer->status < 300) {
        return {.server = server, .body = std::move(answer->body), .status = answer->status, .refusal = {}};
    }
    std::string sentence = parse_error_sentence(answer->body);
    return {
        .server = server,
        .body = fail(ErrorKind::invalid, std::move(sentence)),
        .status = answer->status,
        .refusal = std::move(answer->body),
    };
}

}  // namespace

Result<RunningSite> RunningSite::find(const SiteOptions& options, const Console& console) {
    TRY(auto sockets, list_sockets(options.directories, console.environment, options.site));
    RunningSite site;
    for (ServerSocket& socket : sockets) {
        auto alive = probe(console.os, socket.path);
        bool is_dead = !alive && (alive.error().kind() == ErrorKind::not_found ||
                                  alive.error().kind() == ErrorKind::refused);
        (is_dead ? site.dead_ : site.servers_).push_back(std::move(socket));
    }
    if (site.servers_.empty()) {
        std::string place = sockets_place(options.directories, console.environment, options.site);
        std::string what =
            options.site.empty() ? "no site runs" : std::format("the site {} does not run", options.site);
        return fail(
            ErrorKind::not_found,
            std::format(
                "{}: no control socket in {} answers; trilith up FILE starts one, and verbs are for the user "
                "who "
                "started it",
                what,
                place
            )
        );
    }
    std::vector<std::string> sites = sites_of(site.servers_);
    if (sites.size() > 1) {
        return fail(
            ErrorKind::invalid,
            std::format("several sites run: {}; choose one with --site", core::joined(sites))
        );
    }
    std::erase_if(site.dead_, [&](const ServerSocket& socket) { return socket.site != sites.front(); });
    return site;
}

std::vector<ServerAnswer> RunningSite::ask(runtime::Os& os, const ControlCall& order) const {
    std::vector<ServerAnswer> answers;
    for (const ServerSocket& socket : servers_) {
        answers.push_back(answer_of(socket.server, call(os, socket.path, order, kAnswerTime)));
    }
    return answers;
}

std::vector<ServerAnswer> RunningSite::ask_concerned(runtime::Os& os, const ControlCall& order) const {
    std::vector<ServerAnswer> answers = ask(os, order);
    if (std::ranges::any_of(answers, &ServerAnswer::is_good)) {
        std::erase_if(answers, [](const ServerAnswer& answer) { return answer.status == kUnknownHere; });
    }
    return answers;
}

Result<void> RunningSite::choose(std::string_view server) {
    auto found = std::ranges::find(servers_, server, &ServerSocket::server);
    if (found == servers_.end()) {
        std::vector<std::string> names;
        for (const ServerSocket& socket : servers_) {
            names.push_back(socket.server);
        }
        return fail(
            ErrorKind::not_found,
            std::format("no server \"{}\" runs; these do: {}", server, core::joined(names))
        );
    }
    servers_ = {*found};
    return {};
}

std::string merge_lines(const std::vector<ServerLines>& answers, size_t asked, std::string_view lead) {
    bool is_same = answers.size() == asked && std::ranges::all_of(answers, [&](const ServerLines& one) {
        return one.lines == answers.front().lines;
    });
    std::string text;
    for (const ServerLines& answer : answers) {
        for (const std::string& line : answer.lines) {
            text += std::format("{}{}{}\n", lead, is_same ? "" : answer.server + ": ", line);
        }
        if (is_same) {
            break;
        }
    }
    return text;
}

}  // namespace node
