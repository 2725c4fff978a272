#include "node/verbs/restart_watch.h"

#include <chrono>
#include <functional>
#include <optional>

#include "node/control/json.h"
#include "node/status/json.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

constexpr int kNotFound = 404;
constexpr core::Duration kPause = std::chrono::milliseconds(100);

// A restart has bounds of its own on the server, so it is followed until it is over.
Result<RestartStatus> follow(const RunningSite& server, uint64_t number, Console& console) {
    for (;;) {
        std::vector<ServerAnswer> answers =
            server.ask(console.os, {.method = http::Method::get, .path = "/v1/status", .body = {}});
        ServerAnswer& answer = answers.front();
        if (!answer.is_good()) {
            return fail(std::move(answer.body).error());
        }
        TRY(ServerStatus status, parse_status_json(*answer.body));
        bool is_ours = status.app && status.app->restart.number == number;
        if (!is_ours) {
            return fail(ErrorKind::conflict, "the server was started anew meanwhile");
        }
        if (!status.app->restart.is_running) {
            return std::move(status.app->restart);
        }
        pause(console.os, kPause);
    }
}

// None: the server runs no application.
Result<std::optional<RestartReport>> restart_on(const RunningSite& server, Console& console) {
    std::vector<ServerAnswer> answers =
        server.ask(console.os, {.method = http::Method::post, .path = "/v1/restart", .body = "{}"});
    ServerAnswer& answer = answers.front();
    if (answer.status == kNotFound) {
        return std::nullopt;
    }
    if (!answer.is_good()) {
        return fail(std::move(answer.body).error());
    }
    TRY(uint64_t number, parse_restart(*answer.body));
    TRY(RestartStatus restart, follow(server, number, console));
    if (!restart.error.empty()) {
        return fail(ErrorKind::refused, std::move(restart.error));
    }
    return RestartReport{.server = answer.server, .sentences = std::move(restart.sentences)};
}

// Where one server was chosen, `site` has that alone.
std::string no_app_sentence(const RunningSite& site) {
    const std::vector<ServerSocket>& servers = site.servers();
    return servers.size() == 1 ? servers.front().server + " runs no application"
                               : "no server of the site that runs has an application";
}

}  // namespace

Result<void> restart_app(
    const RunningSite& site,
    Console& console,
    const std::function<void(const RestartReport&)>& tell
) {
    bool has_app = false;
    for (const ServerSocket& socket : site.servers()) {
        RunningSite server = site;
        TRY_VOID(server.choose(socket.server));
        auto report = restart_on(server, console);
        if (!report) {
            return fail(std::move(report).error().within(socket.server));
        }
        if (*report) {
            has_app = true;
            tell(**report);
        }
    }
    if (!has_app) {
        return fail(ErrorKind::not_found, no_app_sentence(site));
    }
    return {};
}

}  // namespace node
