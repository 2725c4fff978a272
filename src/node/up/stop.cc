#include "node/up/stop.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "core/joined.h"
#include "node/config/database.h"
#include "node/control/client.h"
#include "node/control/json.h"
#include "node/up/words.h"

namespace node {

namespace {

constexpr core::Duration kStopAskTime = std::chrono::seconds(1);
// Besides what the servers themselves bound: for what is not counted there.
constexpr core::Duration kSlack = std::chrono::seconds(15);
// A primary that waits for its replicas is killed by its server before this.
constexpr core::Duration kPrimaryTime = std::chrono::seconds(30);

core::Duration longest_stage(const Config& config) {
    core::Duration longest = std::max(kPrimaryTime, config.balancer.timeouts.drain);
    longest = config.web ? std::max(longest, config.web->timeouts.drain) : longest;
    longest = config.app ? std::max(longest, config.app->program.stop.within) : longest;
    longest = config.database ? std::max(longest, config.database->timeouts.drain) : longest;
    return longest + kSlack;
}

std::string_view ended_sentence(StopStage stage) {
    switch (stage) {
        case StopStage::balancer: return "stopping: the balancers have ended their requests";
        case StopStage::web: return "stopping: the web servers have ended their requests";
        case StopStage::app: return "stopping: the application has ended";
        case StopStage::router: return "stopping: the SQL routers have ended their sessions";
        case StopStage::primary: return "stopping: the database primary has ended";
        case StopStage::none:
        case StopStage::leader:
        case StopStage::all: return "";
    }
    return "";
}

// Whether a stage stops something there. Of databases one is the primary, who that is only they know.
bool has_part(const Config& config, const ServerConfig& server, StopStage stage) {
    switch (stage) {
        case StopStage::balancer: return server.roles.has(Role::balancer);
        case StopStage::web: return server.roles.has(Role::web);
        case StopStage::app: return server.roles.has(Role::app);
        case StopStage::router: return runs_router(config, server);
        case StopStage::primary: return server.roles.has(Role::database);
        case StopStage::none:
        case StopStage::leader:
        case StopStage::all: return false;
    }
    return false;
}

}  // namespace

UpStop::UpStop(runtime::Os& os, core::Log& log, const Config& config, const SitePaths* paths)
    : os_(os), log_(log), config_(config), paths_(paths), stage_max_(longest_stage(config)) {}

void UpStop::begin() {
    stage_ = StopStage::balancer;
    began_ = os_.now();
}

// One that does not answer has ended, or cannot be waited for.
bool UpStop::has_reached(const std::string& server) {
    if (paths_ == nullptr) {
        return true;
    }
    auto answer = call(
        os_,
        paths_->socket(server),
        {.method = http::Method::post, .path = "/v1/stop", .body = format_stop_order(stage_)},
        kStopAskTime
    );
    if (!answer) {
        tell_silent(server, answer.error());
        return true;
    }
    auto reached = parse_stopped(answer->body);
    return !reached || *reached >= stage_;
}

// Once a server.
void UpStop::tell_silent(const std::string& server, const core::Error& why) {
    if (!std::ranges::contains(silent_, server)) {
        silent_.push_back(server);
        log_.warn(
            "up",
            "stopping: a server does not answer and is not waited for",
            {{"server", server}, {"reason", why.context()}}
        );
    }
}

// Of one that did not answer it is not known.
std::vector<std::string> UpStop::with_part(const std::vector<std::string>& servers) const {
    std::vector<std::string> found;
    for (const ServerConfig& server : config_.servers) {
        if (std::ranges::contains(servers, server.name) && !std::ranges::contains(silent_, server.name) &&
            has_part(config_, server, stage_)) {
            found.push_back(server.name);
        }
    }
    return found;
}

void UpStop::end_stage(const std::vector<std::string>& running, bool is_late) {
    std::string names = core::joined(with_part(running));
    std::string took = whole_milliseconds(os_.now() - began_);
    if (is_late) {
        log_.warn(
            "up",
            "stopping: a step takes too long, the next one begins",
            {{"step", std::string(stop_stage_name(stage_))}, {"after", took}}
        );
    } else if (!names.empty() && stage_ == StopStage::primary) {
        if (silent_.empty()) {  // it may be at one of those
            log_.info("up", ended_sentence(stage_), {{"after", took}});
        }
    } else if (!names.empty()) {
        log_.info("up", ended_sentence(stage_), {{"after", took}, {"servers", names}});
    }
    stage_ = static_cast<StopStage>(static_cast<uint8_t>(stage_) + 1);
    began_ = os_.now();
}

bool UpStop::look(const std::vector<std::string>& running) {
    while (stage_ != StopStage::all) {
        auto asked =
            std::ranges::count_if(running, [&](const std::string& server) { return !has_reached(server); });
        bool is_late = asked > 0 && os_.now() - began_ >= stage_max_;
        if (asked > 0 && !is_late) {
            return false;
        }
        end_stage(running, is_late);
    }
    return true;
}

}  // namespace node
