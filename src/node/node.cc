#include "node/node.h"

#include <algorithm>
#include <functional>

#include "core/panic.h"
#include "node/backend_name.h"
#include "node/config_compare.h"
#include "node/config_file.h"
#include "node/log_writer.h"

namespace node {

using balancer::BackendOverride;
using balancer::PoolDirector;
using upstream::AdminState;

namespace {

core::Result<std::shared_ptr<const balancer::Snapshot>> make_snapshot(const balancer::Config& config) {
    TRY(auto proxies, balancer::TrustedProxies::parse(config.trusted_proxies));
    return std::make_shared<const balancer::Snapshot>(config, std::move(proxies));
}

std::string weight_sentence(uint32_t before, uint32_t now, uint32_t configured) {
    std::string sentence = "weight " + std::to_string(before) + " → " + std::to_string(now);
    if (now == configured) {
        return sentence + " (as configured)";
    }
    return sentence + " (configured " + std::to_string(configured) +
           "; kept over reload and restart until undone)";
}

std::string_view admin_sentence(AdminState admin) {
    switch (admin) {
        case AdminState::enabled: return "enabled: takes requests again";
        case AdminState::draining: return "draining: running requests end, no new ones come";
        case AdminState::disabled: return "disabled: out at once";
    }
    return "";
}

}  // namespace

core::Result<std::unique_ptr<Node>> Node::open(
    Config config,
    std::string server_name,
    std::string file,
    const NodeWorld& world
) {
    ASSERT(!world.cores.empty());
    TRY(auto snapshot, make_snapshot(config.balancer));
    std::unique_ptr<Node> node(new Node(std::move(config), std::move(server_name), std::move(file), world));
    node->snapshot_ = std::move(snapshot);
    node->director_.apply(node->config_.balancer.pools);
    TRY(auto opened, node->open_listeners(node->config_.balancer));
    node->publish_all();
    node->hand_over(std::move(opened));
    if (node->config_.balancer.access_log.is_enabled) {
        world.access_log.reopen(node->config_.balancer.access_log.file);
    }
    return node;
}

Node::Node(Config config, std::string server_name, std::string config_file, const NodeWorld& world)
    : world_(world),
      config_(std::move(config)),
      server_name_(std::move(server_name)),
      config_file_(std::move(config_file)),
      started_(world.control.now()),
      started_at_(world.control.os().wall_time()),
      shared_(
          world.connections_max == 0 ? config_.balancer.limits.connections : world.connections_max,
          world.cores.size(),
          world.log,
          *this
      ),
      director_(
          world.control,
          world.log,
          world.cores.size(),
          [this](std::shared_ptr<const upstream::PoolState> state) { publish_pool(std::move(state)); },
          [this](std::string_view pool, std::string_view backend) { return recall(pool, backend); }
      ),
      cores_ended_(world.control),
      cores_running_(world.cores.size()) {
    for (size_t index = 0; index < world_.cores.size(); ++index) {
        workers_.push_back(std::make_unique<balancer::Worker>(*world_.cores[index], index, shared_));
    }
}

Node::~Node() = default;

runtime::Task<void> Node::serve_core(size_t index) {
    co_await workers_[index]->serve();
    world_.control.post([this] { core_has_ended(); });
}

void Node::core_has_ended() {
    if (--cores_running_ == 0) {
        cores_ended_.set();
    }
}

runtime::Task<void> Node::serve_control() {
    runtime::TaskGroup checks(world_.control, 1);
    checks.spawn(director_.serve());
    co_await cores_ended_.wait();
    checks.request_stop();
    co_await checks.join();
}

void Node::shut_down() {
    core::Instant deadline = world_.control.now();
    if (!is_shutting_down_) {
        deadline = deadline + config_.balancer.timeouts.drain;
        world_.log.info(
            "node",
            "draining: no new connections, running requests end",
            {{"within", core::format_duration(config_.balancer.timeouts.drain)}}
        );
    } else {
        was_cut_ = true;
        world_.log.warn("node", "stopping at once: running requests are cut");
    }
    is_shutting_down_ = true;
    for (size_t index = 0; index < workers_.size(); ++index) {
        world_.cores[index]->post([worker = workers_[index].get(), deadline] { worker->drain(deadline); });
    }
}

core::Result<std::vector<Node::OpenedListener>> Node::open_listeners(const balancer::Config& config) {
    std::vector<OpenedListener> opened;
    std::vector<net::Address> asked;
    std::vector<net::Address> bound;
    for (const net::Address& address : config.listen) {
        if (std::ranges::find(asked_, address) != asked_.end()) {
            continue;
        }
        // Cores share the port, and so would another process of ours: this one must find it free first.
        TRY_VOID(net::Listener::check_free(world_.control, address));
        net::Address wanted = address;
        for (size_t core = 0; core < world_.cores.size(); ++core) {
            TRY(auto listener,
                net::Listener::open(
                    *world_.cores[core],
                    wanted,
                    {.is_shared = true, .awaits_first_bytes = true}
                ));
            wanted = listener.address();  // the port that was chosen for port 0
            opened.push_back({.core = core, .listener = std::move(listener)});
        }
        asked.push_back(address);
        bound.push_back(wanted);
    }
    asked_.insert(asked_.end(), asked.begin(), asked.end());
    listening_.insert(listening_.end(), bound.begin(), bound.end());
    return opened;
}

void Node::hand_over(std::vector<OpenedListener> opened) {
    for (OpenedListener& one : opened) {
        auto take = [worker = workers_[one.core].get(), listener = std::move(one.listener)]() mutable {
            worker->add_listener(std::move(listener));
        };
        world_.cores[one.core]->post(std::move(take));
    }
}

void Node::close_removed_listeners(const balancer::Config& config) {
    for (size_t at = asked_.size(); at-- > 0;) {
        if (std::ranges::find(config.listen, asked_[at]) != config.listen.end()) {
            continue;
        }
        for (size_t core = 0; core < workers_.size(); ++core) {
            world_.cores[core]->post([worker = workers_[core].get(), address = listening_[at]] {
                worker->close_listener(address);
            });
        }
        asked_.erase(asked_.begin() + static_cast<ptrdiff_t>(at));
        listening_.erase(listening_.begin() + static_cast<ptrdiff_t>(at));
    }
}

void Node::publish_all() {
    balancer::Publication publication{.snapshot = snapshot_, .pools = director_.states()};
    for (size_t index = 0; index < workers_.size(); ++index) {
        world_.cores[index]->post([worker = workers_[index].get(), publication] {
            worker->apply(publication);
        });
    }
}

void Node::publish_pool(std::shared_ptr<const upstream::PoolState> state) {
    for (size_t index = 0; index < workers_.size(); ++index) {
        world_.cores[index]->post([worker = workers_[index].get(), state] { worker->apply_pool(state); });
    }
}

void Node::report(balancer::BackendFailure failure) {
    world_.control.post([this, told = std::move(failure)] { director_.on_failure(told); });
}

bool Node::write_log(std::string lines) { return world_.access_log.write(std::move(lines)); }

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
    if (is_shutting_down_) {
        reply.errors.emplace_back("the server is shutting down");
        return reply;
    }
    for (const ConfigChange& change : compare(config_, config)) {
        reply.changes.push_back(change.to_string());
        if (change.needs_restart) {
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
    const balancer::AccessLogConfig& log = config.balancer.access_log;
    if (auto writable = log.is_enabled ? LogWriter::check_writable(log.file) : core::Result<void>{};
        !writable) {
        reply.errors.push_back(writable.error().context());
        return refuse(reply.errors.front());
    }
    auto snapshot = make_snapshot(config.balancer);
    if (!snapshot) {
        reply.errors.push_back(snapshot.error().context());
        return refuse(reply.errors.front());
    }
    auto opened = open_listeners(config.balancer);
    if (!opened) {
        reply.errors.push_back(opened.error().context());
        return refuse(reply.errors.front());
    }
    config_ = std::move(config);
    snapshot_ = *std::move(snapshot);
    director_.apply(config_.balancer.pools);
    publish_all();
    close_removed_listeners(config_.balancer);
    hand_over(*std::move(opened));
    if (config_.balancer.access_log.is_enabled) {
        world_.access_log.reopen(config_.balancer.access_log.file);
    }
    ++reloads_;
    world_.log.info("node", "reloaded", {{"changes", std::to_string(reply.changes.size())}});
    return reply;
}

BackendOverride Node::recall(std::string_view pool, std::string_view backend) const {
    if (world_.overrides == nullptr) {
        return {};
    }
    return world_.overrides->find(std::string(pool) + "/" + std::string(backend));
}

// Kept first, then done: what was acknowledged survives a crash.
core::Result<void> Node::override_backend(PoolDirector::Found found, const BackendOverride& override) {
    if (world_.overrides != nullptr) {
        TRY_VOID(world_.overrides->set(full_backend_name(director_, found), override));
    }
    director_.set_override(found, override);
    return {};
}

core::Result<BackendChange> Node::set_weight(std::string_view name, uint32_t weight) {
    TRY(PoolDirector::Found found, find_backend(director_, name));
    const PoolDirector::Backend& backend = director_.backend(found);
    uint32_t before = backend.weight();
    BackendOverride override = backend.override;
    override.weight = weight == backend.config.weight ? std::nullopt : std::optional(weight);
    TRY_VOID(override_backend(found, override));
    BackendChange change{
        .backend = full_backend_name(director_, found),
        .sentence = weight_sentence(before, weight, backend.config.weight),
    };
    world_.log.info("node", change.backend + ": " + change.sentence);
    return change;
}

core::Result<BackendChange> Node::set_admin(std::string_view name, AdminState admin) {
    TRY(PoolDirector::Found found, find_backend(director_, name));
    BackendOverride override = director_.backend(found).override;
    override.admin = admin == AdminState::enabled ? std::nullopt : std::optional(admin);
    TRY_VOID(override_backend(found, override));
    BackendChange change{
        .backend = full_backend_name(director_, found),
        .sentence = std::string(admin_sentence(admin)),
    };
    world_.log.info("node", change.backend + ": " + change.sentence);
    return change;
}

core::Result<BackendChange> Node::take_back(PoolDirector::Found found) {
    TRY_VOID(override_backend(found, {}));
    BackendChange change{
        .backend = full_backend_name(director_, found),
        .sentence = "as configured again: weight " + std::to_string(director_.backend(found).config.weight) +
                    ", enabled",
    };
    world_.log.info("node", change.backend + ": " + change.sentence);
    return change;
}

core::Result<BackendChange> Node::undo(std::string_view name) {
    TRY(PoolDirector::Found found, find_backend(director_, name));
    return take_back(found);
}

core::Result<std::vector<BackendChange>> Node::undo_all() {
    std::vector<BackendChange> changes;
    for (size_t pool = 0; pool < director_.pools().size(); ++pool) {
        for (size_t at = 0; at < director_.pools()[pool].backends.size(); ++at) {
            PoolDirector::Found found{.pool = pool, .backend = at};
            if (!director_.backend(found).override.is_empty()) {
                TRY(BackendChange change, take_back(found));
                changes.push_back(std::move(change));
            }
        }
    }
    return changes;
}

}  // namespace node
