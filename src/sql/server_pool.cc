#include "sql/server_pool.h"

#include <algorithm>
#include <array>
#include <functional>

#include "core/panic.h"
#include "sql/worker.h"

namespace sql {

namespace {

// Global variables and privileges that have changed reach a connection with its login.
constexpr core::Duration kLinkAgeMax = std::chrono::minutes(30);

// What its session has left there must not meet another.
void leave_behind(ServerLink& link) {
    link.has_foreign_messages = link.has_messages;
    link.is_unsure = link.is_unsure || std::exchange(link.has_failed_set, false);
}

}  // namespace

Lease::~Lease() {
    ASSERT(link == nullptr);
    forget_insert_id();
}

void Lease::forget_insert_id() {
    if (asked != nullptr) {
        std::exchange(asked, nullptr)->asking = nullptr;
    }
    insert_id = {};
}

ServerPool::ServerPool(Worker& worker) : worker_(worker), nodes_(worker.routing()->nodes.size()) {}

ServerPool::~ServerPool() {
    close();
    ASSERT(classes_.empty());
}

size_t ServerPool::hash_of(const Identity& identity) {
    size_t hash = std::hash<std::string>()(identity.account);
    return hash ^ (identity.capabilities * 31 + identity.collation);
}

PoolClass& ServerPool::enter_class(const Identity& identity) {
    size_t hash = hash_of(identity);
    auto [first, last] = classes_.equal_range(hash);
    auto known = std::find_if(first, last, [&](const auto& of_hash) {
        return of_hash.second->identity.is_like(identity);
    });
    if (known == last) {
        known = classes_.emplace(hash, std::make_unique<PoolClass>());
        known->second->identity = identity;
        known->second->nodes.resize(nodes_.size());
    }
    PoolClass& found = *known->second;
    found.identity.key = identity.key;
    found.identity.client = identity.client;
    ++found.sessions;
    return found;
}

void ServerPool::leave_class(PoolClass& pool_class) {
    --pool_class.sessions;
    forget_unused(pool_class);
}

void ServerPool::forget_unused(PoolClass& pool_class) {
    if (pool_class.sessions != 0 || pool_class.links != 0) {
        return;
    }
    auto [first, last] = classes_.equal_range(hash_of(pool_class.identity));
    auto found =
        std::find_if(first, last, [&](const auto& of_hash) { return of_hash.second.get() == &pool_class; });
    ASSERT(found != last);
    classes_.erase(found);
}

const ServerLink* ServerPool::find_proof(PoolClass& pool_class, size_t node, std::string_view database) {
    auto is_proof = [&](const ServerLink* link) {
        return !link->is_unsure && link->told.database == database && !is_outdated(*link);
    };
    const PoolClass::AtNode& at = pool_class.nodes[node];
    for (const ServerLink::Listed& listed : at.idle) {
        for (auto link = listed.rbegin(); link != listed.rend(); ++link) {
            if (is_proof(*link) && (*link)->is_alive()) {
                return *link;
            }
        }
    }
    auto used = std::ranges::find_if(at.used, is_proof);
    return used == at.used.end() ? nullptr : *used;
}

bool ServerPool::is_outdated(const ServerLink& link) const {
    const Node& node = worker_.routing()->nodes[link.node];
    return node.generation != link.generation || node.address != link.address;
}

// It is idle, and its server is closed. What a session may still ask of it is waited for a little, but not by
// an operator who disables the server.
bool ServerPool::must_leave(const ServerLink& link) const {
    const Node& node = worker_.routing()->nodes[link.node];
    bool may_be_asked = link.tenure == Tenure::kept || link.tenure == Tenure::hard;
    if (may_be_asked && node.state == NodeState::removed) {
        return worker_.now() - link.idle_since > kTenureMax;
    }
    return node.is_closed();
}

void ServerPool::begin_use(ServerLink& link) {
    ASSERT(!link.is_used);
    PoolClass::AtNode& listed = link.pool_class->nodes[link.node];
    listed.used.splice(listed.used.end(), listed.idle[index_of(link.tenure)], link.in_class);
    AtNode& at = nodes_[link.node];
    at.used.splice(at.used.end(), at.idle, link.in_node);
    link.is_used = true;
    worker_.counters().nodes[link.node].idle.add(-1);
}

void ServerPool::end_use(ServerLink& link, Tenure tenure) {
    ASSERT(link.is_used);
    PoolClass::AtNode& listed = link.pool_class->nodes[link.node];
    ServerLink::Listed& target = listed.idle[index_of(tenure)];
    target.splice(target.end(), listed.used, link.in_class);
    AtNode& at = nodes_[link.node];
    at.idle.splice(at.idle.end(), at.used, link.in_node);
    link.is_used = false;
    link.tenure = tenure;
    link.idle_since = worker_.now();
    worker_.counters().nodes[link.node].idle.add(1);
}

// Its session has it no more, and is told once the connection is asked what only it knows.
void ServerPool::part(ServerLink& link) {
    leave_behind(link);
    Lease* owner = std::exchange(link.lease, nullptr);
    if (owner == nullptr) {
        return;
    }
    owner->link = nullptr;
    if (owner->insert_id.where == InsertId::Where::link) {
        owner->insert_id.where = InsertId::Where::asked;
        owner->asked = &link;
        link.asking = owner;
    }
}

void ServerPool::settle_asking(ServerLink& link, std::optional<uint64_t> insert_id) {
    Lease* asking = std::exchange(link.asking, nullptr);
    if (asking == nullptr) {
        return;
    }
    asking->asked = nullptr;
    asking->insert_id = {
        .where = insert_id ? InsertId::Where::here : InsertId::Where::lost,
        .value = insert_id.value_or(0),
    };
    asking->news.set();
}

// Takes it out of the pool; its place stays taken.
std::unique_ptr<ServerLink> ServerPool::remove(ServerLink& link) {
    if (Lease* owner = std::exchange(link.lease, nullptr)) {
        owner->link = nullptr;
        if (owner->insert_id.where == InsertId::Where::link) {
            owner->insert_id.where = InsertId::Where::lost;
        }
    }
    settle_asking(link, std::nullopt);
    PoolClass& pool_class = *link.pool_class;
    PoolClass::AtNode& listed = pool_class.nodes[link.node];
    AtNode& at = nodes_[link.node];
    ServerLink::Owned& owned = link.is_used ? at.used : at.idle;
    if (!link.is_used) {
        worker_.counters().nodes[link.node].idle.add(-1);
    }
    (link.is_used ? listed.used : listed.idle[index_of(link.tenure)]).erase(link.in_class);
    std::unique_ptr<ServerLink> removed = std::move(*link.in_node);
    owned.erase(removed->in_node);
    --pool_class.links;
    forget_unused(pool_class);
    return removed;
}

void ServerPool::close(ServerLink& link) {
    size_t node = link.node;
    close_link(worker_, remove(link));
    worker_.shared().places[node].give_back(worker_.reactor());
}

bool ServerPool::take_back(Lease& lease) {
    ASSERT(lease.link != nullptr);
    ServerLink& link = *lease.link;
    if (is_outdated(link) || !link.is_alive()) {
        close(link);
        return false;
    }
    begin_use(link);
    return true;
}

// Before it is closed.
runtime::Task<void> ServerPool::ask_for_parted(ServerLink& link) {
    if (link.asking == nullptr) {
        co_return;
    }
    ToldState told = link.told;
    link.is_unsure = false;
    auto asked = co_await prepare_link(worker_, link, {.state = told, .asks_insert_id = true});
    settle_asking(link, asked ? *asked : std::nullopt);
}

runtime::Task<void> ServerPool::retire(ServerLink& link) {
    co_await ask_for_parted(link);
    close(link);
}

void ServerPool::retire_soon(ServerLink& link) {
    part(link);
    if (link.asking == nullptr) {
        close(link);
        return;
    }
    begin_use(link);
    worker_.spawn_chore(retire(link));
}

runtime::Task<ServerResult<void>> ServerPool::take(
    Lease& lease,
    PoolClass& pool_class,
    size_t node,
    const ToldState& state
) {
    ASSERT(lease.link == nullptr);
    auto acquired = co_await acquire(pool_class, node, state);
    if (!acquired) {
        co_return std::unexpected(std::move(acquired).error());
    }
    lease.link = *acquired;
    ++lease.taken;
    (*acquired)->lease = &lease;
    co_return ServerResult<void>{};
}

runtime::Task<ServerResult<void>> ServerPool::prepare(Lease& lease, Preparation wanted) {
    ServerLink& link = *lease.link;
    if (is_ready(link, wanted)) {
        co_return ServerResult<void>{};
    }
    bool asks_for_itself = lease.insert_id.where == InsertId::Where::link;
    wanted.asks_insert_id = link.asking != nullptr || asks_for_itself;
    auto said = co_await prepare_link(worker_, link, wanted);
    std::optional<uint64_t> insert_id = said ? *said : std::nullopt;
    settle_asking(link, insert_id);
    if (asks_for_itself && insert_id) {
        lease.insert_id = {.where = InsertId::Where::here, .value = *insert_id};
    }
    if (said) {
        co_return ServerResult<void>{};
    }
    if (said.error().is_from_server()) {
        end_use(link, Tenure::none);
        release(lease);
        serve_waiting(link);
    } else {
        drop(lease);
    }
    co_return std::unexpected(std::move(said).error());
}

void ServerPool::give(Lease& lease, Tenure tenure) {
    ServerLink& link = *lease.link;
    bool is_old = worker_.now() - link.opened_at > kLinkAgeMax && tenure == Tenure::none;
    if (is_closed_ || is_old || link.is_doomed || is_outdated(link)) {
        close(link);
        return;
    }
    end_use(link, tenure);
    if (must_leave(link)) {
        retire_soon(link);
        return;
    }
    if (tenure != Tenure::hard) {
        serve_waiting(link);
    }
}

// Somebody waits: the connection is theirs, or its place.
void ServerPool::serve_waiting(ServerLink& link) {
    NodePlaces& places = worker_.shared().places[link.node];
    if (!places.is_waited_for()) {
        return;
    }
    if (is_over_bound(link.node)) {
        retire_soon(link);
    } else if (places.hand_over(link, *link.pool_class, worker_.reactor())) {
        part(link);
        begin_use(link);
    } else if (places.is_place_wanted(worker_.now())) {
        retire_soon(link);
    }
}

void ServerPool::drop(Lease& lease) {
    if (lease.link != nullptr) {
        close(*lease.link);
    }
}

void ServerPool::release(Lease& lease) {
    if (lease.link == nullptr || lease.link->is_used) {
        return;
    }
    ServerLink& link = *std::exchange(lease.link, nullptr);
    link.lease = nullptr;
    if (lease.insert_id.where == InsertId::Where::link) {
        lease.insert_id.where = InsertId::Where::lost;
    }
    leave_behind(link);
    std::array<ServerLink::Listed, kTenureCount>& idle = link.pool_class->nodes[link.node].idle;
    ServerLink::Listed& target = idle[index_of(Tenure::none)];
    target.splice(target.end(), idle[index_of(link.tenure)], link.in_class);
    bool was_hard = link.tenure == Tenure::hard;
    link.tenure = Tenure::none;
    if (was_hard) {
        serve_waiting(link);
    }
}

void ServerPool::move(Lease& lease, PoolClass& pool_class) {
    ServerLink& link = *lease.link;
    ASSERT(link.is_used);
    PoolClass& before = *link.pool_class;
    ServerLink::Listed& target = pool_class.nodes[link.node].used;
    target.splice(target.end(), before.nodes[link.node].used, link.in_class);
    link.pool_class = &pool_class;
    ++pool_class.links;
    --before.links;
    forget_unused(before);
}

void ServerPool::take_routing() {
    size_t slots = worker_.routing()->nodes.size();
    ASSERT(slots >= nodes_.size());
    if (slots > nodes_.size()) {
        nodes_.resize(slots);
        for (auto& [hash, pool_class] : classes_) {
            pool_class->nodes.resize(slots);
        }
    }
    for (AtNode& at : nodes_) {
        for (auto next = at.idle.begin(); next != at.idle.end();) {
            ServerLink& link = **next++;
            if (is_outdated(link)) {
                close(link);
            } else if (must_leave(link)) {
                retire_soon(link);
            }
        }
    }
}

void ServerPool::sweep() {
    const PoolConfig& config = worker_.config().pool;
    auto cores = static_cast<uint32_t>(worker_.shared().counters.size());
    size_t warm = (config.warm + cores - 1) / cores;
    for (AtNode& at : nodes_) {
        size_t open = at.idle.size() + at.used.size();
        for (auto next = at.idle.begin(); next != at.idle.end();) {
            ServerLink& link = **next++;
            bool is_idle = worker_.now() - link.idle_since > config.idle && open > warm;
            bool is_old = worker_.now() - link.opened_at > kLinkAgeMax && link.tenure == Tenure::none;
            bool is_dead = !link.connection->socket().is_quiet();
            if (is_dead) {
                close(link);
                --open;
            } else if (is_idle || is_old || must_leave(link) || is_over_bound(link.node)) {
                retire_soon(link);
                --open;
            }
        }
    }
}

void ServerPool::close() {
    is_closed_ = true;
    for (AtNode& at : nodes_) {
        ASSERT(at.used.empty());
        while (!at.idle.empty()) {
            close(*at.idle.front());
        }
    }
}

}  // namespace sql
