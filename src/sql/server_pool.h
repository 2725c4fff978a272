// The connections to the database servers on one core, shared by its sessions: taken for a statement or a
// transaction, and given back. Bounded for each server over all cores (node_places.h).
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/event.h"
#include "sql/node_places.h"
#include "sql/server_link.h"

namespace sql {

class Worker;

// What LAST_INSERT_ID() of a session is, or who knows.
struct InsertId {
    enum class Where : uint8_t {
        here,   // `value`
        link,   // the connection of its lease
        asked,  // the connection that was taken from it is being asked
        lost,
    };
    Where where = Where::here;
    uint64_t value = 0;
};

// A session's claim to the connection that ran its last statement at the primary, or at a replica. While no
// statement runs another session may take the connection: then `link` is null.
struct Lease {
    explicit Lease(runtime::Event& session_news) : news(session_news) {}

    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    // LAST_INSERT_ID() is 0 again, whatever it was.
    void forget_insert_id();

    ServerLink* link = nullptr;
    uint64_t taken = 0;           // counts the connections that it has had
    ServerLink* asked = nullptr;  // insert_id.where is `asked`: of whom
    InsertId insert_id{};
    runtime::Event& news;  // set when the answer is there
};

// Sessions that can share connections, and those connections.
struct PoolClass {
    struct AtNode {
        // By tenure; those of equal tenure by the time since they are idle, the longest first. Those that are
        // used are in none.
        std::array<ServerLink::Listed, kTenureCount> idle;
        ServerLink::Listed used;
    };

    Identity identity;
    std::vector<AtNode> nodes;  // by slot
    uint32_t sessions = 0;
    uint32_t links = 0;
};

[[nodiscard]] constexpr size_t index_of(Tenure tenure) { return static_cast<size_t>(tenure); }

class ServerPool {
public:
    explicit ServerPool(Worker& worker);
    // All sessions have ended (asserted).
    ~ServerPool();
    ServerPool(const ServerPool&) = delete;
    ServerPool& operator=(const ServerPool&) = delete;

    // For a session, until leave_class(). The newest password key counts.
    [[nodiscard]] PoolClass& enter_class(const Identity& identity);
    void leave_class(PoolClass& pool_class);

    // A connection of this class that has the schema selected: so the server has let the account in, and to
    // the schema. Null if there is none.
    [[nodiscard]] const ServerLink* find_proof(PoolClass& pool_class, size_t node, std::string_view database);

    // Takes the lease's own connection, if it has it still, for a statement: the session may use it until
    // give() or drop().
    [[nodiscard]] bool take_back(Lease& lease);
    // Takes any connection of the class to the node: one that nobody uses, or a new one, waiting for a place
    // until queue_timeout. The lease must have none (asserted). It still has to be prepared.
    [[nodiscard]] runtime::Task<ServerResult<void>> take(
        Lease& lease,
        PoolClass& pool_class,
        size_t node,
        const ToldState& state
    );
    // Makes the lease's connection ready, and hands its answer to the session before. After a failure it is
    // closed or given back: the lease has none.
    [[nodiscard]] runtime::Task<ServerResult<void>> prepare(Lease& lease, Preparation wanted);
    // The statement is over: others may take the connection as `tenure` allows.
    void give(Lease& lease, Tenure tenure);
    // Closes the lease's connection, if it has one.
    void drop(Lease& lease);
    // The session does not need what the connection knows of it. One that is used stays its own.
    void release(Lease& lease);
    // COM_SET_OPTION has changed what was agreed on with the server of the connection that the lease uses.
    void move(Lease& lease, PoolClass& pool_class);

    // Closes what is idle too long, dead, over the bound, or of a server that is closed.
    void sweep();
    // There is new routing: closes all idle connections that must not be used any more.
    void take_routing();
    // Another core's session waits for a place at the node, and there is none: closes an idle connection.
    void yield_place(size_t node);
    // No connection is kept from now on.
    void close();

private:
    struct AtNode {
        ServerLink::Owned used;
        ServerLink::Owned idle;  // of all classes, the longest idle first
        core::Instant asked_others_at{};
    };

    // server_pool.cc
    [[nodiscard]] static size_t hash_of(const Identity& identity);
    void forget_unused(PoolClass& pool_class);
    runtime::Task<void> ask_for_parted(ServerLink& link);
    runtime::Task<void> retire(ServerLink& link);
    void retire_soon(ServerLink& link);
    void part(ServerLink& link);
    void begin_use(ServerLink& link);
    void end_use(ServerLink& link, Tenure tenure);
    void serve_waiting(ServerLink& link);
    void settle_asking(ServerLink& link, std::optional<uint64_t> insert_id);
    [[nodiscard]] std::unique_ptr<ServerLink> remove(ServerLink& link);
    void close(ServerLink& link);
    [[nodiscard]] bool is_outdated(const ServerLink& link) const;
    [[nodiscard]] bool must_leave(const ServerLink& link) const;

    // pool_queue.cc
    [[nodiscard]] bool is_over_bound(size_t node) const;
    [[nodiscard]] ServerLink* pick(
        PoolClass& pool_class,
        size_t node,
        const ToldState& state,
        OpenPlace place
    );
    [[nodiscard]] ServerLink* find_closable(size_t node);
    runtime::Task<bool> make_room(size_t node);
    runtime::Task<ServerResult<ServerLink*>> acquire(
        PoolClass& pool_class,
        size_t node,
        const ToldState& state
    );
    runtime::Task<ServerResult<ServerLink*>> wait_for(
        PoolClass& pool_class,
        size_t node,
        const ToldState& state
    );
    runtime::Task<ServerResult<ServerLink*>> wait_as(
        PlaceRequest& request,
        PoolClass& pool_class,
        size_t node,
        const ToldState& state
    );
    runtime::Task<ServerResult<ServerLink*>> open(PoolClass& pool_class, size_t node, std::string database);
    void ask_others(size_t node);

    Worker& worker_;
    std::vector<AtNode> nodes_;                                            // by slot
    std::unordered_multimap<size_t, std::unique_ptr<PoolClass>> classes_;  // by a hash of the identity
    bool is_closed_ = false;
};

}  // namespace sql
