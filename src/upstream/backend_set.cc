// Builds the snapshot of a pool: who is usable, who takes new requests, who stands by.
#include "upstream/backend_set.h"

#include <algorithm>
#include <utility>

#include "core/panic.h"

namespace upstream {

namespace {

void check_backends(const std::vector<BackendView>& backends) {
    std::vector<uint32_t> ids;
    ids.reserve(backends.size());
    for (const BackendView& backend : backends) {
        ASSERT(backend.weight <= kWeightMax);
        ASSERT(backend.effective_weight <= backend.weight * kWeightScale);
        ids.push_back(backend.id);
    }
    std::ranges::sort(ids);
    ASSERT(std::ranges::adjacent_find(ids) == ids.end());
}

// Usable backends in the order in which they would take over: backups after all others.
std::vector<uint32_t> succession(std::span<const BackendView> backends) {
    std::vector<uint32_t> order;
    for (const bool wants_backup : {false, true}) {
        for (uint32_t index = 0; index < backends.size(); ++index) {
            if (is_usable(backends[index]) && backends[index].is_backup == wants_backup) {
                order.push_back(index);
            }
        }
    }
    return order;
}

}  // namespace

const char* backend_state_name(BackendState state) noexcept {
    switch (state) {
        case BackendState::checking: return "checking";
        case BackendState::up: return "up";
        case BackendState::down: return "down";
        case BackendState::draining: return "draining";
        case BackendState::disabled: return "disabled";
    }
    PANIC("a backend state outside its enumeration");
}

bool is_usable(const BackendView& backend) noexcept {
    const bool is_serving = backend.state == BackendState::checking || backend.state == BackendState::up;
    return is_serving && backend.effective_weight > 0;
}

std::optional<uint32_t> choose_active(
    const BackendSetOptions& options,
    std::span<const BackendView> backends
) {
    const std::vector<uint32_t> order = succession(backends);
    if (order.empty()) {
        return std::nullopt;
    }
    const uint32_t first = order.front();
    if (options.has_failback || !options.previous_active_id) {
        return first;
    }
    for (const uint32_t index : order) {
        if (backends[index].id == *options.previous_active_id &&
            backends[index].is_backup == backends[first].is_backup) {
            return index;
        }
    }
    return first;
}

BackendSet build_backend_set(const BackendSetOptions& options, std::vector<BackendView> backends) {
    check_backends(backends);
    const std::optional<uint32_t> active =
        options.mode == Mode::active_passive ? choose_active(options, backends) : std::nullopt;

    BackendSet set;
    const std::vector<uint32_t> order = succession(backends);
    for (const uint32_t index : order) {
        const bool takes_requests = options.mode == Mode::active_passive
                                        ? index == active
                                        : backends[index].is_backup == backends[order.front()].is_backup;
        (takes_requests ? set.rotation_ : set.standby_).push_back(index);
    }
    if (active) {
        set.active_id_ = backends[*active].id;
    }
    set.backends_ = std::move(backends);
    return set;
}

}  // namespace upstream
