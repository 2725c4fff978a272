// Decides, once a process, what the backends of every pool are: their health, weights and the operator's
// word. Publishes each change to the cores as a new snapshot. Lives on the control reactor.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balancer/shared.h"
#include "core/log.h"
#include "core/result.h"
#include "net/read_buffer.h"
#include "runtime/event.h"
#include "runtime/task_group.h"
#include "upstream/health.h"
#include "upstream/pool_state.h"

namespace balancer {

// What the operator said of a backend; outlives reloads and restarts.
struct BackendOverride {
    std::optional<uint32_t> weight;
    std::optional<upstream::AdminState> admin;  // draining or disabled

    [[nodiscard]] bool is_empty() const { return !weight && !admin; }

    friend bool operator==(const BackendOverride&, const BackendOverride&) = default;
};

class PoolDirector {
public:
    // One backend, for reading by the status page.
    struct Backend {
        Backend(runtime::Reactor& reactor, const upstream::HealthConfig& health_config)
            : health(health_config, reactor.now()), wake(reactor) {}

        upstream::BackendConfig config;
        std::shared_ptr<upstream::BackendRecord> record;
        upstream::BackendHealth health;
        BackendOverride override;
        runtime::Event wake;  // the next check or step may have moved
        bool is_removed = false;
        bool is_drained_told = false;

        [[nodiscard]] uint32_t weight() const { return override.weight.value_or(config.weight); }
        // Requests that run on it now, all cores together.
        [[nodiscard]] int64_t in_flight() const;
    };

    struct Pool {
        upstream::PoolConfig config;
        std::shared_ptr<upstream::PoolRecord> record;
        std::vector<std::shared_ptr<Backend>> backends;    // in the order written
        std::shared_ptr<const upstream::PoolState> state;  // as published last
        bool is_dirty = false;                             // a backend's health has changed since
    };

    using Publish = std::function<void(std::shared_ptr<const upstream::PoolState>)>;
    // What is known of a backend's overrides at the start; empty where nothing is.
    using RecallOverride = std::function<BackendOverride(std::string_view pool, std::string_view backend)>;

    PoolDirector(
        runtime::Reactor& reactor,
        core::Log& log,
        size_t cores,
        Publish publish,
        RecallOverride recall
    );
    ~PoolDirector();
    PoolDirector(const PoolDirector&) = delete;
    PoolDirector& operator=(const PoolDirector&) = delete;

    // Takes over the pools of a configuration. A backend with the name and address that it had keeps its
    // health, its counters and its overrides. Publishes nothing: the caller publishes the states with the
    // rest of the configuration.
    void apply(const std::vector<upstream::PoolConfig>& pools);
    // Parallel to the configuration's pools.
    [[nodiscard]] std::vector<std::shared_ptr<const upstream::PoolState>> states() const;
    [[nodiscard]] const std::vector<Pool>& pools() const { return pools_; }

    // Runs the checks of all backends until the fiber is stopped.
    [[nodiscard]] runtime::Task<void> serve();

    // One check of an address that is in no pool yet: GET `path`, within `timeout`. The error says what it
    // met.
    [[nodiscard]] runtime::Task<core::Result<void>> check_once(
        net::Address address,
        std::string path,
        core::Duration timeout
    );

    // A client's request met a failure.
    void on_failure(const BackendFailure& failure);

    // A place in pools().
    struct Found {
        size_t pool;
        size_t backend;
    };
    [[nodiscard]] const Backend& backend(Found found) const {
        return *pools_[found.pool].backends[found.backend];
    }
    // Sets what the operator says, from the next request on.
    void set_override(Found found, const BackendOverride& override);

private:
    runtime::Task<void> watch(std::string pool_name, std::shared_ptr<Backend> backend, core::Duration delay);
    void watch_pending();
    void settle(Pool& pool, Backend& backend, const upstream::HealthDecision& decision);
    void rebuild(Pool& pool);
    void publish(Pool& pool);
    runtime::Task<void> publish_dirty();
    [[nodiscard]] Pool* find_pool(std::string_view name);
    [[nodiscard]] std::shared_ptr<Backend> make_backend(
        const upstream::PoolConfig& pool,
        const upstream::BackendConfig& config,
        size_t number
    );
    void tell_if_drained(const Pool& pool, Backend& backend);

    runtime::Reactor& reactor_;
    core::Log& log_;
    size_t cores_;
    Publish publish_;
    RecallOverride recall_;
    net::BufferPool buffers_;
    net::SharedReadBuffer shared_buffer_;
    std::vector<Pool> pools_;
    uint32_t next_id_ = 0;
    runtime::TaskGroup checks_;
    runtime::Event dirty_;
    bool is_serving_ = false;
    struct Watch {
        std::string pool;
        std::shared_ptr<Backend> backend;
        core::Duration delay;
    };
    std::vector<Watch> pending_;  // made, and not watched yet
};

}  // namespace balancer
