// How a session gets a connection from the pool: one that is idle, a new one, or after a wait.
#include <algorithm>
#include <array>
#include <format>

#include "sql/reply.h"
#include "sql/server_pool.h"
#include "sql/worker.h"

namespace sql {

namespace {

// So many of each tenure are looked at.
constexpr size_t kLookedAt = 8;
// A session that waits looks again this often: a hard tenure may be over.
constexpr core::Duration kWaitLook = std::chrono::milliseconds(50);
constexpr core::Duration kAskInterval = std::chrono::milliseconds(10);

// What a session can choose from, without allocation.
struct Offers {
    std::array<PoolOffer, kLookedAt * kTenureCount> offers{};
    std::array<ServerLink*, kLookedAt * kTenureCount> links{};
    size_t count = 0;

    void add(ServerLink& link, const ToldState& state, core::Instant now) {
        links[count] = &link;
        offers[count++] = {
            .tenure = link.tenure,
            .likeness = link.is_unsure ? Likeness::resettable : likeness(link.told, state),
            .idle = now - link.idle_since,
        };
        if (likeness(link.told, state) == Likeness::unusable) {
            offers[count - 1].likeness = Likeness::unusable;
        }
    }
};

ServerFailure no_place(std::string message) {
    ServerFailure failure = own_failure(mysql::kErrorTooManyConnections, std::move(message));
    failure.kind = core::ErrorKind::exhausted;
    return failure;
}

ServerFailure waited_in_vain(const Config& config, const Node& node) {
    return no_place(std::format(
        "trilith: no connection to {} became free in time (database.pool.connections = {}): end transactions "
        "sooner, or raise it",
        node.name,
        config.pool.connections
    ));
}

// Another server is asked then.
ServerFailure node_removed(const Node& node) {
    return {.kind = core::ErrorKind::closed, .message = node.name + " was removed from the configuration"};
}

ServerFailure cancelled() { return {.kind = core::ErrorKind::cancelled, .message = "the router stops"}; }

}  // namespace

ServerLink* ServerPool::pick(PoolClass& pool_class, size_t node, const ToldState& state, OpenPlace place) {
    core::Instant now = worker_.now();
    for (;;) {
        Offers all;
        PoolClass::AtNode& at = pool_class.nodes[node];
        const ServerLink::Listed& unleased = at.idle[index_of(Tenure::none)];
        size_t looked = 0;
        // Of those that nobody would miss the youngest are used, so that the others can be closed.
        for (auto link = unleased.rbegin(); link != unleased.rend() && looked++ < kLookedAt; ++link) {
            all.add(**link, state, now);
        }
        for (size_t tenure = index_of(Tenure::soft); tenure < kTenureCount; ++tenure) {
            looked = 0;
            for (auto link = at.idle[tenure].begin(); link != at.idle[tenure].end() && looked++ < kLookedAt;
                 ++link) {
                all.add(**link, state, now);
            }
        }
        auto chosen = choose_connection(std::span(all.offers).first(all.count), place);
        if (!chosen) {
            return nullptr;
        }
        ServerLink& link = *all.links[*chosen];
        if (is_outdated(link) || !link.is_alive()) {
            close(link);
            continue;
        }
        part(link);
        begin_use(link);
        return &link;
    }
}

// What is to be closed for the sake of a session that cannot use it as it is, of any class. Null: nothing.
ServerLink* ServerPool::find_closable(size_t node) {
    ServerLink* chosen = nullptr;
    size_t looked = 0;
    for (const std::unique_ptr<ServerLink>& link : nodes_[node].idle) {
        bool is_hard = link->tenure == Tenure::hard && worker_.now() - link->idle_since < kTenureMax;
        if (!is_hard && (chosen == nullptr || link->tenure < chosen->tenure)) {
            chosen = link.get();
        }
        if (++looked == kLookedAt * 2) {
            break;
        }
    }
    return chosen;
}

// Closes a connection that nobody uses: its place is the caller's.
runtime::Task<bool> ServerPool::make_room(size_t node) {
    ServerLink* chosen = find_closable(node);
    if (chosen == nullptr) {
        co_return false;
    }
    part(*chosen);
    begin_use(*chosen);
    co_await ask_for_parted(*chosen);
    close_link(worker_, remove(*chosen));
    co_return true;
}

runtime::Task<ServerResult<ServerLink*>> ServerPool::open(
    PoolClass& pool_class,
    size_t node,
    std::string database
) {
    ++pool_class.sessions;  // it must not go while this waits
    auto opened = co_await open_link(worker_, pool_class.identity, std::move(database), node);
    --pool_class.sessions;
    if (!opened) {
        worker_.shared().places[node].give_back(worker_.reactor());
        co_return std::unexpected(std::move(opened).error());
    }
    ServerLink& link = **opened;
    link.pool_class = &pool_class;
    AtNode& at = nodes_[node];
    link.in_node = at.used.insert(at.used.end(), *std::move(opened));
    ServerLink::Listed& used = pool_class.nodes[node].used;
    link.in_class = used.insert(used.end(), &link);
    ++pool_class.links;
    co_return &link;
}

runtime::Task<ServerResult<ServerLink*>> ServerPool::acquire(
    PoolClass& pool_class,
    size_t node,
    const ToldState& state
) {
    NodePlaces& places = worker_.shared().places[node];
    if (places.is_waited_for()) {
        co_return co_await wait_for(pool_class, node, state);
    }
    bool has_place = places.connections.used() < places.connections.limit();
    if (ServerLink* link = pick(pool_class, node, state, has_place ? OpenPlace::free : OpenPlace::none)) {
        co_return link;
    }
    if (has_place && places.connections.try_take()) {
        co_return co_await open(pool_class, node, state.database);
    }
    co_return co_await wait_for(pool_class, node, state);
}

runtime::Task<ServerResult<ServerLink*>> ServerPool::wait_for(
    PoolClass& pool_class,
    size_t node,
    const ToldState& state
) {
    Shared& shared = worker_.shared();
    if (!shared.queue.try_take()) {
        co_return std::unexpected(no_place(
            "trilith: too many sessions wait for a connection to a database server (database.pool.queue)"
        ));
    }
    NodeCounters& counters = worker_.counters().nodes[node];
    counters.waiting.add(1);
    counters.waited.add();
    // Its core's own will be given back soon; to move a place from another one costs a login.
    bool has_own = !pool_class.nodes[node].used.empty();
    core::Duration patience = has_own ? NodePlaces::kPatience : core::Duration{};
    std::shared_ptr<PlaceRequest> request =
        shared.places[node].enter(worker_.reactor(), pool_class, patience);
    auto given = co_await wait_as(*request, pool_class, node, state);
    Handed left = shared.places[node].leave(*request);
    if (left.link != nullptr) {
        end_use(*left.link, Tenure::none);
        serve_waiting(*left.link);
    } else if (left.has_place) {
        shared.places[node].give_back(worker_.reactor());
    }
    counters.waiting.add(-1);
    shared.queue.give_back();
    if (!given) {
        co_return std::unexpected(std::move(given).error());
    }
    if (*given != nullptr) {
        co_return *given;
    }
    co_return co_await open(pool_class, node, state.database);
}

// Null: a place is the caller's, to open a connection.
runtime::Task<ServerResult<ServerLink*>> ServerPool::wait_as(
    PlaceRequest& request,
    PoolClass& pool_class,
    size_t node,
    const ToldState& state
) {
    NodePlaces& places = worker_.shared().places[node];
    core::Instant deadline = request.since + worker_.config().pool.queue_timeout;
    for (;;) {
        if (places.connections.try_take()) {
            co_return nullptr;  // it came back before this session stood in the queue
        }
        if (ServerLink* link = pick(pool_class, node, state, OpenPlace::none)) {
            co_return link;
        }
        bool has_room = co_await make_room(node);
        if (has_room) {
            co_return nullptr;
        }
        bool is_patient = worker_.now() - request.since < request.patience;
        if (!is_patient) {
            ask_others(node);
        }
        core::Duration look = is_patient ? NodePlaces::kPatience : kWaitLook;
        auto outcome = co_await request.news.wait(std::min(deadline, worker_.now() + look));
        Handed handed = places.take_handed(request);
        if (handed.link != nullptr || handed.has_place) {
            co_return handed.link;
        }
        if (outcome == runtime::Outcome::cancelled) {
            co_return std::unexpected(cancelled());
        }
        const Node& awaited = worker_.routing()->nodes[node];
        if (awaited.state == NodeState::removed) {
            co_return std::unexpected(node_removed(awaited));
        }
        if (worker_.now() >= deadline) {
            worker_.counters().nodes[node].waited_in_vain.add();
            co_return std::unexpected(waited_in_vain(worker_.config(), awaited));
        }
    }
}

// Idle connections of other cores count, too.
void ServerPool::ask_others(size_t node) {
    if (worker_.now() - nodes_[node].asked_others_at < kAskInterval) {
        return;
    }
    nodes_[node].asked_others_at = worker_.now();
    for (const CorePool& other : worker_.shared().pools) {
        if (other.pool != nullptr && other.pool != this) {
            other.reactor->post([pool = other.pool, node] { pool->yield_place(node); });
        }
    }
}

// A reload has lowered the bound. Of other cores' attempts it may look so for a moment.
bool ServerPool::is_over_bound(size_t node) const {
    const runtime::Quota& places = worker_.shared().places[node].connections;
    return places.used() > places.limit();
}

void ServerPool::yield_place(size_t node) {
    if (is_closed_ || !worker_.shared().places[node].is_waited_for()) {
        return;
    }
    if (ServerLink* chosen = find_closable(node)) {
        retire_soon(*chosen);
    }
}

}  // namespace sql
