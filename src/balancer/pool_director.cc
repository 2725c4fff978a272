#include "balancer/pool_director.h"

#include <algorithm>

#include "balancer/health_probe.h"
#include "core/panic.h"

namespace balancer {

using upstream::AdminState;
using upstream::BackendState;

namespace {

// First checks are spread, so that thousands of backends are not asked in one moment.
constexpr core::Duration kFirstCheckSpread = std::chrono::microseconds(500);
// How soon the end of the last request on a draining backend is noticed.
constexpr core::Duration kDrainLook = std::chrono::milliseconds(50);
// Changes of health are published at once, and those that follow them within this time together.
constexpr core::Duration kPublishPause = std::chrono::milliseconds(2);

std::string full_name(const PoolDirector::Pool& pool, const PoolDirector::Backend& backend) {
    return pool.config.name + "/" + backend.config.name;
}

// Takes the backend of this name and address out of `known`; null where there is none.
std::shared_ptr<PoolDirector::Backend> take_same(
    std::vector<std::shared_ptr<PoolDirector::Backend>>& known,
    const upstream::BackendConfig& config
) {
    for (auto& candidate : known) {
        if (candidate != nullptr && candidate->config.name == config.name &&
            candidate->config.address == config.address) {
            return std::exchange(candidate, nullptr);
        }
    }
    return nullptr;
}

}  // namespace

int64_t PoolDirector::Backend::in_flight() const {
    int64_t sum = 0;
    for (const upstream::BackendCounters& core : record->counters) {
        sum += core.in_flight.value();
    }
    return sum;
}

PoolDirector::PoolDirector(
    runtime::Reactor& reactor,
    core::Log& log,
    size_t cores,
    Publish publish,
    RecallOverride recall
)
    : reactor_(reactor),
      log_(log),
      cores_(cores),
      publish_(std::move(publish)),
      recall_(std::move(recall)),
      shared_buffer_(buffers_),
      checks_(reactor, SIZE_MAX),
      dirty_(reactor) {}

PoolDirector::~PoolDirector() = default;

std::shared_ptr<PoolDirector::Backend> PoolDirector::make_backend(
    const upstream::PoolConfig& pool,
    const upstream::BackendConfig& config,
    size_t number
) {
    auto backend = std::make_shared<Backend>(reactor_, pool.health);
    backend->config = config;
    backend->record = std::make_shared<upstream::BackendRecord>(next_id_++, pool.connections_max, cores_);
    backend->override = recall_(pool.name, config.name);
    if (backend->override.admin) {
        [[maybe_unused]] auto decision = backend->health.on_admin(*backend->override.admin, reactor_.now());
    }
    core::Duration delay = kFirstCheckSpread * static_cast<int64_t>(number);
    pending_.push_back({.pool = pool.name, .backend = backend, .delay = delay});
    return backend;
}

void PoolDirector::apply(const std::vector<upstream::PoolConfig>& configs) {
    std::vector<Pool> before = std::exchange(pools_, {});
    size_t number = 0;
    for (const upstream::PoolConfig& config : configs) {
        auto known =
            std::ranges::find(before, config.name, [](const Pool& pool) { return pool.config.name; });
        Pool pool;
        pool.config = config;
        if (known != before.end()) {
            pool.record = known->record;
            pool.record->queue.set_limit(config.queue_max);
            pool.state = known->state;
        } else {
            pool.record = std::make_shared<upstream::PoolRecord>(config.queue_max, cores_);
        }
        for (const upstream::BackendConfig& backend_config : config.backends) {
            std::shared_ptr<Backend> backend;
            if (known != before.end()) {
                backend = take_same(known->backends, backend_config);
            }
            if (backend == nullptr) {
                backend = make_backend(config, backend_config, number);
            } else {
                backend->config = backend_config;
                backend->record->connections.set_limit(config.connections_max);
                [[maybe_unused]] auto decision = backend->health.on_config(config.health, reactor_.now());
                backend->wake.set();
            }
            pool.backends.push_back(std::move(backend));
            ++number;
        }
        rebuild(pool);
        pools_.push_back(std::move(pool));
    }
    if (is_serving_) {
        watch_pending();
    }
    // What was not taken over is gone.
    for (Pool& pool : before) {
        for (auto& backend : pool.backends) {
            if (backend != nullptr) {
                backend->is_removed = true;
                backend->wake.set();
            }
        }
    }
}

// Once their pools are in place: a check that begins at once looks its pool up.
void PoolDirector::watch_pending() {
    for (Watch& watched : std::exchange(pending_, {})) {
        checks_.spawn(watch(std::move(watched.pool), std::move(watched.backend), watched.delay));
    }
}

void PoolDirector::rebuild(Pool& pool) {
    std::vector<upstream::BackendView> views;
    std::vector<std::shared_ptr<upstream::BackendRecord>> records;
    core::Instant now = reactor_.now();
    for (const auto& backend : pool.backends) {
        uint32_t weight = backend->weight();
        views.push_back({
            .id = backend->record->id,
            .name = backend->config.name,
            .address = backend->config.address,
            .state = backend->health.state(),
            .weight = weight,
            .effective_weight = upstream::effective_weight(
                weight,
                backend->health.recovered_at(),
                now,
                pool.config.health.slow_start
            ),
            .is_backup = backend->config.is_backup,
        });
        records.push_back(backend->record);
    }
    upstream::BackendSetOptions options{
        .mode = pool.config.mode,
        .has_failback = pool.config.has_failback,
        .previous_active_id = pool.state == nullptr ? std::nullopt : pool.state->set.active_id(),
    };
    pool.state = std::make_shared<upstream::PoolState>(upstream::PoolState{
        .config = pool.config,
        .set = upstream::build_backend_set(options, std::move(views)),
        .backends = std::move(records),
        .record = pool.record,
    });
}

void PoolDirector::publish(Pool& pool) {
    bool was_usable = !pool.state->set.rotation().empty();
    rebuild(pool);
    pool.is_dirty = false;
    publish_(pool.state);
    if (was_usable && pool.state->set.rotation().empty()) {
        log_.error("health", "no backend of pool " + pool.config.name + " is usable: its requests get 503");
    }
}

// Until the fiber is stopped.
runtime::Task<void> PoolDirector::publish_dirty() {
    for (;;) {
        if (co_await dirty_.wait() == runtime::Outcome::cancelled) {
            co_return;
        }
        for (Pool& pool : pools_) {
            if (pool.is_dirty) {
                publish(pool);
            }
        }
        co_await reactor_.sleep_for(kPublishPause);
    }
}

std::vector<std::shared_ptr<const upstream::PoolState>> PoolDirector::states() const {
    std::vector<std::shared_ptr<const upstream::PoolState>> states;
    for (const Pool& pool : pools_) {
        states.push_back(pool.state);
    }
    return states;
}

PoolDirector::Pool* PoolDirector::find_pool(std::string_view name) {
    auto found =
        std::ranges::find(pools_, name, [](const Pool& pool) { return std::string_view(pool.config.name); });
    return found == pools_.end() ? nullptr : &*found;
}

runtime::Task<void> PoolDirector::serve() {
    is_serving_ = true;
    checks_.spawn(publish_dirty());
    watch_pending();
    runtime::Event never(reactor_);
    co_await never.wait();  // ends when our fiber is stopped
    checks_.request_stop();
    co_await checks_.join();
    is_serving_ = false;
}

// One backend's life: a check when it is due, a new snapshot at each step of its slow start.
runtime::Task<void> PoolDirector::watch(
    std::string pool_name,
    std::shared_ptr<Backend> backend,
    core::Duration delay
) {
    if (co_await reactor_.sleep_for(delay) == runtime::Outcome::cancelled) {
        co_return;
    }
    for (;;) {
        Pool* pool = find_pool(pool_name);
        if (backend->is_removed || pool == nullptr) {
            co_return;
        }
        core::Duration slow_start = pool->config.health.slow_start;
        core::Instant step =
            upstream::next_step_at(backend->health.recovered_at(), reactor_.now(), slow_start);
        core::Instant due = std::min(backend->health.next_check(), step);
        bool is_draining = backend->health.admin() == AdminState::draining && !backend->is_drained_told;
        if (is_draining) {
            due = std::min(due, reactor_.now() + kDrainLook);
        }
        runtime::Outcome outcome = co_await backend->wake.wait(due);
        if (outcome == runtime::Outcome::cancelled) {
            co_return;
        }
        pool = find_pool(pool_name);
        if (backend->is_removed || pool == nullptr) {
            co_return;
        }
        tell_if_drained(*pool, *backend);
        if (reactor_.now() >= step) {
            pool->is_dirty = true;
            dirty_.set();
        }
        if (reactor_.now() < backend->health.next_check()) {
            continue;
        }
        upstream::HealthConfig config = pool->config.health;
        auto result = co_await probe(reactor_, shared_buffer_, backend->config.address, config);
        pool = find_pool(pool_name);
        if (backend->is_removed || pool == nullptr || (co_await runtime::CurrentFiber{}).is_stopped) {
            co_return;
        }
        if (!result) {
            co_await reactor_.sleep_for(config.interval);
            continue;
        }
        settle(*pool, *backend, backend->health.on_check(*result, reactor_.now()));
    }
}

void PoolDirector::settle(Pool& pool, Backend& backend, const upstream::HealthDecision& decision) {
    if (!decision.has_changed) {
        return;
    }
    std::string event = full_name(pool, backend) + " is " + backend_state_name(decision.state);
    bool is_bad = decision.state == BackendState::down;
    if (is_bad) {
        log_.warn("health", event, {{"address", backend.config.address.to_string()}, {"why", decision.why}});
    } else {
        log_.info("health", event, {{"address", backend.config.address.to_string()}, {"why", decision.why}});
    }
    pool.is_dirty = true;
    dirty_.set();
}

void PoolDirector::tell_if_drained(const Pool& pool, Backend& backend) {
    if (backend.health.admin() != AdminState::draining || backend.is_drained_told ||
        backend.in_flight() > 0) {
        return;
    }
    backend.is_drained_told = true;
    log_.info("balancer", full_name(pool, backend) + " is drained: no request runs on it");
}

runtime::Task<core::Result<void>> PoolDirector::check_once(
    net::Address address,
    std::string path,
    core::Duration timeout
) {
    upstream::HealthConfig config{.path = std::move(path), .timeout = timeout};
    auto result = co_await probe(reactor_, shared_buffer_, address, config);
    if (!result) {
        co_return core::fail(core::ErrorKind::exhausted, "no descriptor or memory for the check");
    }
    if (result->verdict != upstream::CheckVerdict::good) {
        co_return core::fail(core::ErrorKind::refused, std::move(result->sentence));
    }
    co_return core::Result<void>{};
}

void PoolDirector::on_failure(const BackendFailure& failure) {
    Pool* pool = find_pool(failure.pool);
    if (pool == nullptr) {
        return;
    }
    for (auto& backend : pool->backends) {
        if (backend->record->id == failure.backend_id) {
            auto decision =
                backend->health.on_passive_failure(failure.kind, failure.sentence, reactor_.now());
            settle(*pool, *backend, decision);
            backend->wake.set();
            return;
        }
    }
}

void PoolDirector::set_override(Found found, const BackendOverride& override) {
    Pool& pool = pools_[found.pool];
    Backend& backend = *pool.backends[found.backend];
    AdminState before = backend.health.admin();
    AdminState wanted = override.admin.value_or(AdminState::enabled);
    backend.override = override;
    backend.is_drained_told = backend.is_drained_told && wanted == before;
    if (wanted != before) {
        settle(pool, backend, backend.health.on_admin(wanted, reactor_.now()));
    }
    publish(pool);
    backend.wake.set();
}

}  // namespace balancer
