#include "node/serve/node.h"

#include <algorithm>
#include <functional>

#include "core/panic.h"
#include "node/config/compare.h"
#include "node/config/file.h"
#include "node/log/writer.h"
#include "node/serve/site_places.h"
#include "runtime/task_group.h"

namespace node {

using balancer::BackendOverride;

core::Result<std::unique_ptr<Node>> Node::open(
    Config config,
    std::string server_name,
    std::string file,
    const NodeWorld& world
) {
    ASSERT(!world.cores.empty());
    std::unique_ptr<Node> node(new Node(std::move(config), std::move(server_name), std::move(file), world));
    TRY_VOID(node->open_fronts());
    TRY_VOID(node->open_database());
    TRY_VOID(node->open_program());
    TRY_VOID(node->open_router());
    return node;
}

Node::Node(Config config, std::string server_name, std::string config_file, const NodeWorld& world)
    : world_(world),
      config_(std::move(config)),
      server_name_(std::move(server_name)),
      config_file_(std::move(config_file)),
      started_(world.control.now()),
      started_at_(world.control.os().wall_time()),
      whiteboard_(whiteboard_of(world.control.os(), config_, server_name_)),
      stop_moved_(world.control) {}

Node::~Node() = default;

const ServerConfig& Node::self(const Config& config) const {
    auto found = std::ranges::find(config.servers, server_name_, &ServerConfig::name);
    ASSERT(found != config.servers.end());
    return *found;
}

std::vector<net::Address> Node::listening() const {
    std::vector<net::Address> all;
    for (const auto& front : fronts_) {
        all.insert(all.end(), front->listening().begin(), front->listening().end());
    }
    if (router_ != nullptr) {
        all.insert(all.end(), router_->listening().begin(), router_->listening().end());
    }
    return all;
}

core::Result<std::vector<Front::Staged>> Node::stage(const Config& config) {
    std::vector<FrontPlan> plans = plan_fronts(config, self(config));
    ASSERT(plans.size() == fronts_.size());  // a change of roles needs a restart
    TRY_VOID(check_access_logs(plans));
    std::vector<Front::Staged> staged;
    for (size_t at = 0; at < plans.size(); ++at) {
        const balancer::AccessLogConfig& log = plans[at].balancer.access_log;
        if (log.is_enabled) {
            TRY_VOID(LogWriter::check_writable(log.file));
        }
        TRY(auto one, fronts_[at]->stage(std::move(plans[at])));
        staged.push_back(std::move(one));
    }
    return staged;
}

core::Result<std::optional<SqlRouter::Staged>> Node::stage_router(const Config& config) const {
    if (router_ == nullptr) {
        return std::nullopt;
    }
    TRY(SqlRouter::Staged staged, router_->stage(router_config(config)));
    return staged;
}

ReloadReply Node::reload() {
    auto config = load_config(config_file_);
    if (config) {
        return apply(*std::move(config));
    }
    ReloadReply reply;
    for (const ConfigError& error : config.error()) {
        reply.errors.push_back(error.to_string());
    }
    world_.log.error("node", "reload refused, nothing has changed", {{"reason", reply.errors.front()}});
    return reply;
}

ReloadReply Node::apply(Config config) {
    ReloadReply reply;
    if (is_shutting_down()) {
        reply.errors.emplace_back("the server is shutting down");
        return reply;
    }
    for (const ConfigChange& change : compare(config_, config)) {
        reply.changes.push_back(change.to_string());
        if (change.needs_restart && !std::ranges::contains(reply.needs_restart, change.key)) {
            reply.needs_restart.push_back(change.key);
        }
    }
    auto refuse = [&](const std::string& reason) {
        world_.log.error("node", "reload refused, nothing has changed", {{"reason", reason}});
        return reply;
    };
    if (!reply.needs_restart.empty()) {
        return refuse("needs restart: " + reply.needs_restart.front());
    }
    auto router = stage_router(config);
    if (!router) {
        reply.errors.push_back(router.error().context());
        return refuse(reply.errors.front());
    }
    auto staged = stage(config);
    if (!staged) {
        reply.errors.push_back(staged.error().context());
        return refuse(reply.errors.front());
    }
    config_ = std::move(config);
    for (size_t at = 0; at < fronts_.size(); ++at) {
        fronts_[at]->commit(std::move((*staged)[at]));
    }
    if (*router) {
        router_->commit(*std::move(*router));
    }
    ++reloads_;
    world_.log.info("node", "reloaded", {{"changes", std::to_string(reply.changes.size())}});
    return reply;
}

BackendOwners Node::backend_owners() const {
    return {.fronts = fronts_, .router = router_.get(), .servers = config_.servers};
}

BackendOverride Node::recall(std::string_view pool, std::string_view backend) const {
    if (world_.overrides == nullptr) {
        return {};
    }
    return world_.overrides->find(std::string(pool) + "/" + std::string(backend));
}

core::Result<uint64_t> Node::begin_restart() {
    if (program_ == nullptr) {
        return core::fail(
            core::ErrorKind::not_found,
            "server \"" + server_name_ + "\" runs no application: it has not the role \"app\""
        );
    }
    return program_->begin_restart();
}

}  // namespace node
