// A pool for the tests of what runs on it: records that all snapshots share, on one reactor.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/linux_os.h"
#include "upstream/connection_pool.h"

namespace upstream {

using Acquired = std::expected<Lease, AcquireFailure>;

inline constexpr size_t kCores = 2;

struct SampleBackend {
    BackendState state = BackendState::up;
    bool is_backup = false;
    uint32_t weight = kWeightDefault;
};

// A pool with its records, of which any number of snapshots can be made. Backend 0 has id 100, and so on.
struct SamplePool {
    runtime::LinuxOs os;
    std::unique_ptr<runtime::Reactor> reactor = *runtime::Reactor::open(os);
    PoolConfig config{.name = "origin", .backends = {}, .health = {}};
    uint32_t connections_max = 2;
    decltype(PoolState::backends) records{};  // what all snapshots have in common
    decltype(PoolState::record) record{};

    std::unique_ptr<const PoolState> state_of(
        const std::vector<SampleBackend>& backends,
        Mode mode = Mode::active_active
    ) {
        auto state = std::make_unique<PoolState>();
        if (record == nullptr) {
            record = std::make_unique<PoolRecord>(config.queue_max, kCores);
        }
        std::vector<BackendView> views;
        for (uint32_t number = 0; number < backends.size(); ++number) {
            if (records.size() <= number) {
                records.push_back(std::make_unique<BackendRecord>(100 + number, connections_max, kCores));
            }
            BackendView view{.id = 100 + number, .name = std::to_string(number), .address = {}};
            view.state = backends[number].state;
            view.is_backup = backends[number].is_backup;
            view.weight = backends[number].weight;
            view.effective_weight = view.weight * kWeightScale;
            views.push_back(std::move(view));
            state->backends.push_back(records[number]);
        }
        state->config = config;
        state->record = record;
        state->set = build_backend_set({.mode = mode}, std::move(views));
        return state;
    }

    [[nodiscard]] core::Instant after(core::Duration duration) const { return reactor->now() + duration; }
};

inline uint32_t id_of(const std::optional<Acquired>& acquired) {
    return acquired && *acquired ? (*acquired)->backend().record->id : 0;
}

inline std::optional<AcquireFailure> failure_of(const std::optional<Acquired>& acquired) {
    return acquired && !*acquired ? std::optional(acquired->error()) : std::nullopt;
}

}  // namespace upstream
