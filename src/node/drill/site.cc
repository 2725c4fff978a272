#include "node/drill/site.h"

#include <array>
#include <format>

#include "node/config/file.h"
#include "node/config/listen.h"
#include "node/config/public_address.h"
#include "node/control/json.h"
#include "node/serve/program_database.h"
#include "node/status/json.h"
#include "node/verbs/server_drain.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;
using http::Method;

namespace {

// Of each server and of `up`: who is slower is not there.
constexpr core::Duration kLookTime = std::chrono::seconds(2);
constexpr core::Duration kDeedTime = std::chrono::seconds(30);
// Nearly nothing, then nearly all; each so long that requests fall due.
constexpr std::array<uint32_t, 2> kWeights{1, 256};
constexpr core::Duration kWeightTime = std::chrono::milliseconds(500);

Result<UpStatus> ask_up(runtime::Os& os, const std::string& socket) {
    TRY(auto answer, call(os, socket, {.method = Method::get, .path = "/v1/status", .body = {}}, kLookTime));
    return parse_up_status(answer.body);
}

}  // namespace

Result<DrillSite> DrillSite::find(const SiteOptions& options, Console& console) {
    TRY(RunningSite running, RunningSite::find(options, console));
    DrillSite site(options, console);
    const std::string& socket = running.servers().front().path;
    site.up_socket_ = socket.substr(0, socket.rfind('/') + 1) + "up.sock";
    std::string file;
    if (auto up = ask_up(console.os, site.up_socket_)) {
        file = up->file;
        site.state_dir_ = up->state_dir;
    } else {
        auto answers = running.ask(console.os, {.method = Method::get, .path = "/v1/status", .body = {}});
        auto status = answers.front().is_good() ? parse_status_json(*answers.front().body)
                                                : fail(std::move(answers.front().body).error());
        TRY(ServerStatus first, std::move(status));
        file = first.config_file;
    }
    auto config = load_config(file);
    if (!config) {
        return fail(ErrorKind::refused, "its file is wrong: " + config.error().front().to_string());
    }
    site.config_ = *std::move(config);
    if (site.state_dir_.empty()) {
        TRY(SitePaths paths, site_paths(options.directories, console.environment, site.config_.site));
        site.state_dir_ = paths.state_dir;
    }
    return site;
}

SiteView DrillSite::look() const {
    SiteView view;
    if (auto up = ask_up(console_->os, up_socket_)) {
        view.up = *std::move(up);
    }
    auto running = RunningSite::find(*options_, *console_);
    if (!running) {
        return view;
    }
    for (const ServerSocket& socket : running->servers()) {
        ControlCall status{.method = Method::get, .path = "/v1/status", .body = {}};
        auto answer = call(console_->os, socket.path, status, kLookTime);
        auto parsed = answer ? parse_status_json(answer->body) : fail(std::move(answer).error());
        if (parsed) {
            view.servers.push_back(*std::move(parsed));
        }
    }
    return view;
}

Result<net::Address> DrillSite::address(const SiteView& view) const {
    auto address = public_address(config_);
    if (!address) {
        return fail(ErrorKind::not_found, "the site has neither a balancer nor a web server to ask");
    }
    if (address->port() == 0) {  // whichever the balancer was given
        for (const ServerStatus& server : view.servers) {
            for (const std::string& listener : server.listeners) {
                auto bound = parse_listen(listener);
                if (bound && bound->host_string() == address->host_string()) {
                    address = *bound;
                }
            }
        }
    }
    if (is_any_address(*address)) {
        return net::Address::parse(std::format("127.0.0.1:{}", address->port()));
    }
    return *address;
}

std::vector<mariadb::DatabaseUrl> DrillSite::databases(std::string_view avoided) const {
    if (!config_.database) {
        return {};  // what our environment says may be of another site
    }
    auto all = program_databases(config_, state_dir_ + "/database", console_->os);
    if (!all) {
        return {};
    }
    std::vector<mariadb::DatabaseUrl> others;
    for (const mariadb::DatabaseUrl& place : *all) {
        if (avoided.empty() || server_of_router(config_, place.address) != avoided) {
            others.push_back(place);
        }
    }
    return others.empty() ? *std::move(all) : others;
}

Result<void> DrillSite::order(const std::string& socket, const ControlCall& order) const {
    TRY(ControlAnswer answer, call(console_->os, socket, order, kDeedTime));
    if (answer.status != 200) {
        return fail(ErrorKind::refused, parse_error_sentence(answer.body));
    }
    return {};
}

Result<std::vector<ServerAnswer>> DrillSite::order_all(const ControlCall& call) const {
    TRY(RunningSite running, RunningSite::find(*options_, *console_));
    std::vector<ServerAnswer> answers = running.ask_concerned(console_->os, call);
    for (ServerAnswer& answer : answers) {
        if (!answer.is_good()) {
            return fail(std::move(answer.body).error().within(answer.server));
        }
    }
    return answers;
}

Result<void> DrillSite::change_weights(const std::string& server) const {
    for (uint32_t weight : kWeights) {
        std::string order = format_order(WeightOrder{.name = server, .weight = weight});
        TRY_VOID(order_all({.method = Method::post, .path = "/v1/weight", .body = std::move(order)}));
        pause(console_->os, kWeightTime);
    }
    return {};
}

Result<void> DrillSite::drain(const std::string& server) const {
    std::string order = format_order(BackendOrder{.name = server});
    TRY(auto answers, order_all({.method = Method::post, .path = "/v1/drain", .body = std::move(order)}));
    TRY(RunningSite running, RunningSite::find(*options_, *console_));
    ServerDrainOptions options{.watch = {.timeout = config_.drill.within, .is_quiet = true}};
    TRY_VOID(end_server_drain(running, answers, options, *console_));
    return {};
}

// Also where it came to no end: a drill leaves nothing behind.
Result<void> DrillSite::take_back(Result<void> done, const ControlCall& call) const {
    auto taken_back = order_all(std::move(call));
    if (done && !taken_back) {
        return fail(std::move(taken_back).error());
    }
    return done;
}

Result<void> DrillSite::do_deed(const DrillTarget& target, core::Duration freeze) const {
    UpDeed deed{.server = target.server, .pid = target.pid, .lasting = {}};
    switch (target.kind) {
        case DrillKind::reload:
            TRY_VOID(order_all({.method = Method::post, .path = "/v1/reload", .body = "{}"}));
            return {};
        case DrillKind::weights: {
            std::string undo = format_order(UndoOrder{.name = target.server});
            ControlCall back{.method = Method::post, .path = "/v1/undo", .body = std::move(undo)};
            return take_back(change_weights(target.server), std::move(back));
        }
        case DrillKind::drain: {
            std::string enable = format_order(BackendOrder{.name = target.server});
            ControlCall back{.method = Method::post, .path = "/v1/enable", .body = std::move(enable)};
            return take_back(drain(target.server), std::move(back));
        }
        case DrillKind::server: deed.pid = 0; break;
        case DrillKind::freeze_primary: deed.lasting = freeze; break;
        default: break;
    }
    bool is_freeze = target.kind == DrillKind::freeze_primary;
    return order(
        up_socket_,
        {.method = Method::post, .path = is_freeze ? "/v1/freeze" : "/v1/kill", .body = format_up_deed(deed)}
    );
}

Result<void> DrillSite::undo() const {
    return order(up_socket_, {.method = Method::post, .path = "/v1/thaw", .body = "{}"});
}

}  // namespace node
