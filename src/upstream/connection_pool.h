// One pool on one core: picks a backend for each request, keeps idle connections, and lets requests wait when
// all are busy.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "net/socket.h"
#include "upstream/pick_round_robin.h"
#include "upstream/pool_state.h"
#include "upstream/tried_backends.h"

namespace upstream {

class ConnectionPool;

// One backend on one core. Lives while it is in the pool's state or a request uses it.
struct BackendLink {
    struct IdleConnection {
        net::Socket socket;
        core::Instant since;
        bool needs_look = false;  // ask the system before it is used
    };

    BackendLink(std::shared_ptr<BackendRecord> shared_record, size_t core_index)
        : record(std::move(shared_record)), counters(record->counters[core_index]) {}

    std::shared_ptr<BackendRecord> record;
    BackendCounters& counters;
    BackendView view;                  // as in the newest state
    std::vector<IdleConnection> idle;  // the youngest last, which is the one used next
    bool is_in_rotation = false;
    bool is_removed = false;
    core::Instant reported_at{};  // when a failure was last reported to the health keeper
};

// A place at a backend: one request at a time. Given back at the end of its life. The pool must outlive it.
class Lease {
public:
    Lease() = default;
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), link_(std::move(other.link_)) {}
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { release(); }

    void release();

    [[nodiscard]] explicit operator bool() const { return pool_ != nullptr; }
    [[nodiscard]] BackendLink& backend() const { return *link_; }
    [[nodiscard]] const std::shared_ptr<BackendLink>& shared_backend() const { return link_; }

private:
    friend class ConnectionPool;
    Lease(ConnectionPool& pool, std::shared_ptr<BackendLink> link) : pool_(&pool), link_(std::move(link)) {}

    ConnectionPool* pool_ = nullptr;
    std::shared_ptr<BackendLink> link_;
};

enum class AcquireFailure : uint8_t {
    none_usable,  // no backend is up: 503 at once
    all_tried,    // every usable backend was tried
    queue_full,
    timed_out,  // waited queue_timeout
    cancelled,
};

class ConnectionPool {
public:
    ConnectionPool(runtime::Reactor& reactor, size_t core_index, std::shared_ptr<const PoolState> state);
    ~ConnectionPool();
    ConnectionPool(const ConnectionPool&) = delete;
    ConnectionPool& operator=(const ConnectionPool&) = delete;

    // Takes over a new snapshot; effective for the next request. Backends that are gone keep their running
    // requests.
    void apply(std::shared_ptr<const PoolState> state);

    [[nodiscard]] const PoolState& state() const { return *state_; }

    // A place at the next backend by the pool's rule, waiting in the queue of all cores while all have their
    // fill.
    [[nodiscard]] runtime::Task<std::expected<Lease, AcquireFailure>> acquire(const TriedBackends& tried);
    // The same without waiting: nullopt when all backends that it may go to are at their bound.
    [[nodiscard]] std::optional<std::expected<Lease, AcquireFailure>> acquire_now(const TriedBackends& tried);

    // An idle connection that nothing has happened on; none when there is none younger than `idle_max`. With
    // `asks_system`, a system call makes sure of it right now.
    enum class Certainty : uint8_t { as_seen, asks_system };
    [[nodiscard]] std::optional<net::Socket> take_idle(
        BackendLink& backend,
        core::Duration idle_max,
        Certainty certainty
    );
    // Keeps a connection for the next request. Nothing may be unread or unsent on it. With `asks_system` the
    // next taker looks for stray bytes first.
    void keep_idle(BackendLink& backend, net::Socket socket, Certainty next_use);
    // Gives all idle connections' descriptors back.
    void drop_idle();
    // Closes idle connections that the backend has ended or that are older than the pool's idle_timeout.
    void sweep();

private:
    friend class Lease;

    [[nodiscard]] std::shared_ptr<BackendLink> take_place(uint32_t index);
    [[nodiscard]] std::optional<std::expected<Lease, AcquireFailure>> use_handed(BackendRecord& backend);
    void give_back(BackendLink& backend);
    [[nodiscard]] bool has_tried_rotation(const TriedBackends& tried) const;
    [[nodiscard]] bool is_waited_for(const BackendLink& backend) const;
    void serve_queue();
    [[nodiscard]] bool is_full(uint32_t index) const;
    static void close_idle(BackendLink& backend);

    runtime::Reactor& reactor_;
    size_t core_index_;
    std::shared_ptr<const PoolState> state_;
    RoundRobin round_robin_;
    std::vector<std::shared_ptr<BackendLink>> links_;  // parallel to state_->backends
    std::unordered_map<uint32_t, std::shared_ptr<BackendLink>> links_by_id_;
    size_t waiting_ = 0;  // requests of this core in the queue
};

}  // namespace upstream
