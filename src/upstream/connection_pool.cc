#include "upstream/connection_pool.h"

#include <algorithm>

#include "core/panic.h"

namespace upstream {

namespace {

// A request that may go to a standby backend only, and finds it full, looks again this often: places there
// are not handed on, because they are for those that have tried the whole rotation.
constexpr core::Duration kStandbyLook = std::chrono::milliseconds(5);

}  // namespace

Lease& Lease::operator=(Lease&& other) noexcept {
    if (this != &other) {
        release();
        pool_ = std::exchange(other.pool_, nullptr);
        link_ = std::move(other.link_);
    }
    return *this;
}

void Lease::release() {
    if (pool_ != nullptr) {
        std::exchange(pool_, nullptr)->give_back(*link_);
        link_.reset();
    }
}

ConnectionPool::ConnectionPool(
    runtime::Reactor& reactor,
    size_t core_index,
    std::shared_ptr<const PoolState> state
)
    : reactor_(reactor), core_index_(core_index), round_robin_(static_cast<uint32_t>(core_index)) {
    apply(std::move(state));
}

ConnectionPool::~ConnectionPool() {
    ASSERT(waiting_ == 0);
    for (auto& link : links_) {
        close_idle(*link);
    }
}

void ConnectionPool::close_idle(BackendLink& backend) {
    backend.counters.idle_connections.add(-static_cast<int64_t>(backend.idle.size()));
    backend.idle.clear();
}

void ConnectionPool::apply(std::shared_ptr<const PoolState> state) {
    state_ = std::move(state);
    links_.clear();
    std::unordered_map<uint32_t, std::shared_ptr<BackendLink>> kept;
    const auto& views = state_->set.backends();
    for (size_t index = 0; index < views.size(); ++index) {
        auto known = links_by_id_.find(views[index].id);
        auto link = known != links_by_id_.end()
                        ? known->second
                        : std::make_shared<BackendLink>(state_->backends[index], core_index_);
        link->view = views[index];
        link->is_in_rotation = false;
        if (link->view.state == BackendState::down || link->view.state == BackendState::disabled) {
            close_idle(*link);
        }
        kept.emplace(views[index].id, link);
        links_.push_back(std::move(link));
    }
    for (auto& [id, link] : links_by_id_) {
        if (!kept.contains(id)) {
            link->is_removed = true;
            link->is_in_rotation = false;
            close_idle(*link);
        }
    }
    links_by_id_ = std::move(kept);
    for (uint32_t index : state_->set.rotation()) {
        links_[index]->is_in_rotation = true;
    }
    round_robin_.reset(state_->set);
    serve_queue();
}

// What was full or down may serve now, and what serves no more must not be waited for.
void ConnectionPool::serve_queue() {
    PoolRecord& pool = *state_->record;
    if (pool.queue.used() == 0) {
        return;
    }
    for (uint32_t index : state_->set.rotation()) {
        const std::shared_ptr<BackendRecord>& backend = links_[index]->record;
        bool has_handed = true;
        while (has_handed && backend->connections.try_take()) {
            has_handed = pool.waiting.pass_on(backend, reactor_);
        }
    }
    pool.waiting.notify(reactor_);
}

bool ConnectionPool::is_full(uint32_t index) const {
    const runtime::Quota& connections = links_[index]->record->connections;
    return connections.used() >= connections.limit();
}

std::shared_ptr<BackendLink> ConnectionPool::take_place(uint32_t index) {
    auto& link = links_[index];
    if (!link->record->connections.try_take()) {
        return nullptr;
    }
    link->counters.in_flight.add(1);
    return link;
}

std::optional<std::expected<Lease, AcquireFailure>> ConnectionPool::acquire_now(const TriedBackends& tried) {
    const BackendSet& set = state_->set;
    bool has_full = false;
    auto judge = [&](uint32_t index) {
        if (tried.has(links_[index]->record->id)) {
            return Verdict::pass;
        }
        if (is_full(index)) {
            has_full = true;
            return Verdict::full;
        }
        return Verdict::take;
    };
    // Another core may take the last place between the look and the taking: then the backend is full at the
    // next look.
    for (size_t attempt = 0; attempt < 4; ++attempt) {
        auto index = round_robin_.pick(judge);
        if (!index) {
            break;
        }
        if (auto link = take_place(*index)) {
            return Lease(*this, std::move(link));
        }
        has_full = true;
    }
    if (has_full) {
        return std::nullopt;
    }
    if (set.rotation().empty()) {
        return std::unexpected(AcquireFailure::none_usable);
    }
    for (uint32_t index : set.standby()) {
        if (!tried.has(links_[index]->record->id)) {
            if (auto link = take_place(index)) {
                return Lease(*this, std::move(link));
            }
            has_full = true;
        }
    }
    if (has_full) {
        return std::nullopt;
    }
    return std::unexpected(AcquireFailure::all_tried);
}

// A place that was handed to a request of this core. nullopt: by this core's snapshot the backend takes no
// new requests; the place was given back. Snapshots differ for a moment only, and with each new one the queue
// is served.
std::optional<std::expected<Lease, AcquireFailure>> ConnectionPool::use_handed(BackendRecord& backend) {
    auto known = links_by_id_.find(backend.id);
    if (known == links_by_id_.end() || !known->second->is_in_rotation) {
        backend.connections.give_back();
        return std::nullopt;
    }
    known->second->counters.in_flight.add(1);
    return Lease(*this, known->second);
}

runtime::Task<std::expected<Lease, AcquireFailure>> ConnectionPool::acquire(const TriedBackends& tried) {
    std::shared_ptr<PoolRecord> pool = state_->record;
    if (!pool->queue.try_take()) {
        co_return std::unexpected(AcquireFailure::queue_full);
    }
    pool->queued[core_index_].add(1);
    ++waiting_;
    core::Instant deadline = reactor_.now() + state_->config.queue_timeout;
    std::shared_ptr<WaitingRequest> request = pool->waiting.enter(reactor_, tried);
    // Who gives a place back from now on sees this request; what was given back before is found here.
    std::optional<std::expected<Lease, AcquireFailure>> acquired = acquire_now(tried);
    while (!acquired) {
        core::Instant look = has_tried_rotation(tried) ? reactor_.now() + kStandbyLook : deadline;
        if (co_await request->news.wait(std::min(look, deadline)) == runtime::Outcome::cancelled) {
            acquired = std::unexpected(AcquireFailure::cancelled);
            break;
        }
        if (auto backend = pool->waiting.take_handed(*request)) {
            acquired = use_handed(*backend);
        }
        if (!acquired) {
            acquired = acquire_now(tried);
        }
        if (!acquired && reactor_.now() >= deadline) {
            acquired = std::unexpected(AcquireFailure::timed_out);
        }
    }
    if (auto unneeded = pool->waiting.leave(*request)) {
        pool->waiting.pass_on(unneeded, reactor_);
    }
    --waiting_;
    pool->queued[core_index_].add(-1);
    pool->queue.give_back();
    co_return *std::move(acquired);
}

bool ConnectionPool::has_tried_rotation(const TriedBackends& tried) const {
    return std::ranges::all_of(state_->set.rotation(), [&](uint32_t index) {
        return tried.has(links_[index]->record->id);
    });
}

bool ConnectionPool::is_waited_for(const BackendLink& backend) const {
    return backend.is_in_rotation && state_->record->queue.used() != 0;
}

// A request that waits gets the place without its being free in between, so that no other request takes it
// first; above a bound that was lowered the place goes.
void ConnectionPool::give_back(BackendLink& backend) {
    backend.counters.in_flight.add(-1);
    runtime::Quota& connections = backend.record->connections;
    bool is_handed_on = is_waited_for(backend) && connections.used() <= connections.limit();
    if (!is_handed_on) {
        connections.give_back();
        // One that began to wait meanwhile may have looked before.
        is_handed_on = is_waited_for(backend) && connections.try_take();
    }
    if (is_handed_on) {
        state_->record->waiting.pass_on(backend.record, reactor_);
    }
}

std::optional<net::Socket> ConnectionPool::take_idle(
    BackendLink& backend,
    core::Duration idle_max,
    Certainty certainty
) {
    while (!backend.idle.empty()) {
        BackendLink::IdleConnection& youngest = backend.idle.back();
        if (reactor_.now() - youngest.since > idle_max) {
            return std::nullopt;  // all others are older still
        }
        net::Socket socket = std::move(youngest.socket);
        bool is_looked_at = youngest.needs_look || certainty == Certainty::asks_system;
        backend.idle.pop_back();
        backend.counters.idle_connections.add(-1);
        bool is_usable = socket.is_quiet();
        if (is_usable && is_looked_at) {
            is_usable = socket.peek() == net::Peek::quiet;
        }
        if (is_usable) {
            return socket;
        }
    }
    return std::nullopt;
}

void ConnectionPool::keep_idle(BackendLink& backend, net::Socket socket, Certainty next_use) {
    bool is_wanted = !backend.is_removed && backend.view.state != BackendState::down &&
                     backend.view.state != BackendState::disabled;
    // Watched, so that the backend's closing is seen while nobody reads.
    is_wanted = is_wanted && socket.watched_slot().has_value();
    // After a read that filled its buffer, and after splicing, the reactor does not know whether more is
    // there: the system does.
    is_wanted = is_wanted && (socket.is_quiet() || socket.peek() == net::Peek::quiet);
    if (!is_wanted || backend.idle.size() >= state_->config.connections_max) {
        return;  // closed at the end of its scope
    }
    backend.idle.push_back({
        .socket = std::move(socket),
        .since = reactor_.now(),
        .needs_look = next_use == Certainty::asks_system,
    });
    backend.counters.idle_connections.add(1);
}

void ConnectionPool::drop_idle() {
    for (auto& link : links_) {
        close_idle(*link);
    }
}

void ConnectionPool::sweep() {
    for (auto& link : links_) {
        auto is_over = [&](const BackendLink::IdleConnection& connection) {
            return !connection.socket.is_quiet() ||
                   reactor_.now() - connection.since > state_->config.idle_timeout;
        };
        size_t removed = std::erase_if(link->idle, is_over);
        link->counters.idle_connections.add(-static_cast<int64_t>(removed));
    }
}

}  // namespace upstream
