#include "sql/server_watch.h"

#include <algorithm>

#include "net/hangup_guard.h"
#include "runtime/task_group.h"
#include "sql/look_pause.h"
#include "sql/node_look.h"

namespace sql {

namespace {

constexpr core::Duration kPositionInterval = std::chrono::milliseconds(50);
constexpr core::Duration kTokensTime = std::chrono::seconds(1);
constexpr core::Duration kMissedInterval = std::chrono::milliseconds(25);

// `known`: as published before.
TopologyConfig topology_config(const WatchConfig& config, const std::vector<Node>& known) {
    TopologyConfig topology{
        .fall = config.fall,
        .max_lag = config.max_lag,
        .is_appointed = config.is_appointed,
    };
    for (const WatchedNode& node : config.nodes) {
        bool was_there = node.slot < known.size() && known[node.slot].address == node.config.address;
        topology.members.push_back({
            .address = node.config.address,
            .name = node.config.name,
            .weight = node.config.weight,
            .override = node.override,
            .generation = was_there ? known[node.slot].generation : 0,
        });
    }
    return topology;
}

// Before now: a guard tells only what happens while it lives.
bool has_ended(net::Socket& socket) {
    net::Peek state = socket.peek();
    return state == net::Peek::ended || state == net::Peek::broken;
}

}  // namespace

ServerWatch::ServerWatch(runtime::Reactor& reactor, core::Log& log, Publish publish)
    : reactor_(reactor),
      log_(log),
      publish_(std::move(publish)),
      shared_buffer_(buffers_),
      topology_(TopologyConfig{}),
      reconfigured_(reactor),
      import_wanted_(reactor),
      heartbeat_(reactor.os().random_number()),
      accounts_(std::make_shared<const AccountList>()),
      accounts_why_("the accounts have not been read from the primary yet"),
      routing_(std::make_shared<const Routing>()) {}

ServerWatch::~ServerWatch() = default;

void ServerWatch::apply(const WatchConfig& config) {
    if (is_serving_) {
        next_config_ = config;
        reconfigured_.set();
    } else {
        take_over(config);
    }
}

void ServerWatch::take_over(const WatchConfig& config) {
    config_ = config;
    account_.user = config.user;
    account_.key.reset();
    if (!config.password.empty()) {
        account_.key.emplace(mysql::password_key(config.password));
    }
    config_.password.clear();  // the key is all that is needed, and wiped at its end
    topology_ = Topology(topology_config(config, routing_->nodes), topology_);
    watched_.clear();
    for (const WatchedNode& node : config.nodes) {
        watched_.push_back(std::make_unique<Watched>(reactor_, shared_buffer_, node.config.address));
    }
}

runtime::Task<void> ServerWatch::serve() {
    is_serving_ = true;
    for (;;) {
        publish();
        runtime::TaskGroup tasks(reactor_, watched_.size() + 2);
        for (size_t place = 0; place < watched_.size(); ++place) {
            tasks.spawn(watch_node(place));
        }
        tasks.spawn(keep_accounts());
        tasks.spawn(keep_heartbeat());
        runtime::Outcome outcome = co_await reconfigured_.wait();
        tasks.request_stop();
        co_await tasks.join();
        if (outcome == runtime::Outcome::cancelled) {
            break;
        }
        if (next_config_) {
            take_over(*std::exchange(next_config_, std::nullopt));
        }
    }
    for (const std::unique_ptr<Watched>& watched : watched_) {
        watched->probe.close();
    }
    is_serving_ = false;
}

void ServerWatch::on_failed_login() { import_wanted_.set(); }

void ServerWatch::on_tokens_outstanding() {
    bool is_news = tokens_until_ <= reactor_.now();
    tokens_until_ = reactor_.now() + kTokensTime;
    if (!is_news) {
        return;
    }
    for (const std::unique_ptr<Watched>& watched : watched_) {
        watched->wake.set();
    }
}

void ServerWatch::on_node_failure(const net::Address& address) {
    for (size_t place = 0; place < watched_.size(); ++place) {
        if (topology_.nodes()[place].address == address) {
            watched_[place]->is_look_wanted = true;
            watched_[place]->wake.set();
        }
    }
}

void ServerWatch::appoint(const Appointment& appointment) {
    held_why_ = appointment.is_held ? appointment.why : std::string();
    log_changes(topology_.appoint(appointment.primary, appointment.why, reactor_.now()));
    for (const std::unique_ptr<Watched>& watched : watched_) {
        watched->is_look_wanted = true;
        watched->wake.set();
    }
    publish();
}

// A primary that was named and is not there yet is missed by all who want to write.
core::Duration ServerWatch::interval_of(uint32_t failures) const {
    if (config_.is_appointed && !topology_.primary()) {
        return kMissedInterval;
    }
    return pause_after(failures, config_.fall, config_.interval);
}

void ServerWatch::log_changes(const std::vector<TopologyChange>& changes) {
    for (const TopologyChange& change : changes) {
        if (change.kind == ChangeKind::better) {
            log_.info("sql", change.sentence);
        } else {
            log_.warn("sql", change.sentence);
        }
    }
}

// Until the fiber is stopped.
runtime::Task<void> ServerWatch::watch_node(size_t place) {
    Watched& watched = *watched_[place];
    uint32_t failures = 0;
    for (;;) {
        watched.is_look_wanted = false;
        watched.look_began = reactor_.now();
        LookScope scope =
            heartbeat_state_ == HeartbeatState::beats ? LookScope::with_beat : LookScope::without_beat;
        std::optional<Look> look =
            co_await watched.probe.look(account_, watched.look_began + config_.timeout, scope);
        const runtime::Fiber& fiber = co_await runtime::CurrentFiber{};
        if (fiber.is_stopped) {
            co_return;
        }
        if (look) {
            failures = look->has_value() ? 0 : failures + 1;
            if (*look && (*look)->beat) {
                (*look)->beat_age = heartbeat_.age(*(*look)->beat, reactor_.now());
            }
            take_look(place, *look);
        }
        core::Instant due = watched.look_began + interval_of(failures);
        co_await await_next_look(place, failures == 0 ? reactor_.housekeeping_in(due - reactor_.now()) : due);
        if (fiber.is_stopped) {
            co_return;
        }
    }
}

// Meanwhile positions are asked for, while somebody waits for them. The end of the connection, and a wish,
// bring the look forward.
runtime::Task<void> ServerWatch::await_next_look(size_t place, core::Instant due) {
    Watched& watched = *watched_[place];
    runtime::Fiber& fiber = co_await runtime::CurrentFiber{};
    core::Instant soonest = watched.look_began + kLookGap;
    while (!fiber.is_stopped && reactor_.now() < due) {
        net::Socket* socket = watched.probe.socket();
        if (due > soonest && socket != nullptr && has_ended(*socket)) {
            due = soonest;
            continue;
        }
        bool polls = socket != nullptr && reactor_.now() < tokens_until_ &&
                     topology_.nodes()[place].state == NodeState::replica;
        core::Instant until = polls ? std::min(due, reactor_.now() + kPositionInterval) : due;
        runtime::Outcome outcome = runtime::Outcome::pending;
        {
            std::optional<net::HangupGuard> guard;
            if (socket != nullptr) {
                guard.emplace(*socket, fiber);
            }
            outcome = co_await watched.wake.wait(until);
        }
        if (outcome == runtime::Outcome::cancelled || watched.is_look_wanted) {
            due = std::min(due, soonest);
            continue;
        }
        if (!polls || outcome == runtime::Outcome::ready) {
            continue;
        }
        std::optional<mysql::GtidPosition> applied =
            co_await watched.probe.applied(account_, reactor_.now() + config_.timeout);
        if (!applied) {
            co_return;
        }
        topology_.on_applied(place, *applied);
        publish();
    }
}

void ServerWatch::take_look(size_t place, const Look& look) {
    std::optional<size_t> primary_before = topology_.primary();
    log_changes(topology_.on_look(place, look, reactor_.now()));
    if (topology_.primary() && topology_.primary() != primary_before) {
        import_wanted_.set();
    }
    publish();
}

std::vector<Node> ServerWatch::nodes_by_slot() const {
    std::vector<Node> nodes = routing_->nodes;
    for (Node& node : nodes) {
        node.state = NodeState::removed;
        node.override = {};
        node.is_fit = false;
        node.why.clear();
        node.lag.reset();
    }
    for (size_t place = 0; place < topology_.nodes().size(); ++place) {
        nodes.resize(std::max(nodes.size(), slot(place) + 1));
        nodes[slot(place)] = topology_.nodes()[place];
    }
    return nodes;
}

void ServerWatch::publish() {
    // Sessions that are in the middle of something at the primary go on there.
    std::optional<size_t> primary = held_why_.empty() ? topology_.primary() : std::nullopt;
    if (primary) {
        primary = slot(*primary);
    }
    std::vector<Node> nodes = nodes_by_slot();
    const std::string& primary_why = held_why_.empty() ? topology_.primary_why() : held_why_;
    bool is_same = routing_->number != 0 && routing_->nodes == nodes && routing_->primary == primary &&
                   routing_->primary_why == primary_why && routing_->accounts == accounts_ &&
                   routing_->accounts_why == accounts_why_;
    if (is_same) {
        return;
    }
    routing_ = std::make_shared<const Routing>(Routing{
        .number = routing_->number + 1,
        .shares = topology_.shares(),
        .accounts = accounts_,
        .accounts_why = accounts_why_,
        .nodes = std::move(nodes),
        .primary = primary,
        .primary_why = primary_why,
        .made_at = reactor_.now(),
    });
    publish_(routing_);
}

}  // namespace sql
