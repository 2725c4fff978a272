// One pool as every core sees it: an immutable snapshot of its backends, and which of them take new requests
// now.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "net/address.h"
#include "upstream/config.h"

namespace upstream {

// What a backend may do now. Where an operator and a health check disagree, the operator's word is the state.
enum class BackendState : uint8_t {
    checking,  // not checked yet: serves, because a new server counts as up until it is proven down (as
               // HAProxy does)
    up,        // serves
    down,      // gets nothing
    draining,  // finishes what runs, gets nothing new
    disabled,  // out at once, not even checked
};

// The state's name as it stands in logs and in the status, for example "draining".
[[nodiscard]] const char* backend_state_name(BackendState state) noexcept;

// Effective weights are hundredths of a configured weight, so that a backend of weight 1 can start slowly
// too. A backend at its full weight has weight * kWeightScale; the factor is the same for all, so a full
// cycle stays as short as it was.
inline constexpr uint32_t kWeightScale = 100;

struct BackendView {
    uint32_t id = 0;  // the same backend has the same id in every snapshot of its pool; given by the owner,
                      // distinct
    std::string name;
    net::Address address;
    BackendState state = BackendState::checking;
    uint32_t weight = kWeightDefault;  // as configured or overridden; 0 to kWeightMax
    uint32_t effective_weight = kWeightDefault * kWeightScale;  // after slow start; 0 to weight *
                                                                // kWeightScale
    bool is_backup = false;
};

struct BackendSetOptions {
    Mode mode = Mode::active_active;
    bool has_failback = true;
    std::optional<uint32_t> previous_active_id = {};  // active_id() of the snapshot before, none at the start
};

// Immutable once built; any number of threads may read one. Indexes are positions in backends() and mean
// nothing in another snapshot; ids do.
class BackendSet {
public:
    // A pool without backends.
    BackendSet() = default;

    // In the order written.
    [[nodiscard]] const std::vector<BackendView>& backends() const { return backends_; }

    // Indexes, ascending, of the backends among which new requests are spread; one at most in active-passive.
    // Empty: no backend is usable, the answer is 503 at once.
    [[nodiscard]] const std::vector<uint32_t>& rotation() const { return rotation_; }

    // Indexes of usable backends outside the rotation, in the order in which they would take over. A retry
    // may go to one when it has tried the whole rotation; a first attempt never does.
    [[nodiscard]] const std::vector<uint32_t>& standby() const { return standby_; }

    // Active-passive: the id of the backend that takes all; none in active-active, or when no backend is
    // usable.
    [[nodiscard]] std::optional<uint32_t> active_id() const { return active_id_; }

private:
    friend BackendSet build_backend_set(const BackendSetOptions& options, std::vector<BackendView> backends);

    std::vector<BackendView> backends_;
    std::vector<uint32_t> rotation_;
    std::vector<uint32_t> standby_;
    std::optional<uint32_t> active_id_;
};

// True for a backend that new requests may go to: checking or up, and with an effective weight above 0.
[[nodiscard]] bool is_usable(const BackendView& backend) noexcept;

// Active-passive: the index of the backend that takes all, none where no backend is usable. The first usable
// one in the order written, backups after all others. Without failback the previous active backend keeps its
// place while it is usable; a backup that stands in never does once another backend is usable, because that
// is what `backup` says.
[[nodiscard]] std::optional<uint32_t> choose_active(
    const BackendSetOptions& options,
    std::span<const BackendView> backends
);

// Computes everything that the cores read, once. The rotation: active-active, all usable backends that are no
// backups, or, when there is none, all usable backups; active-passive, choose_active() alone. Ids must be
// distinct and 0 <= effective_weight <= weight * kWeightScale, weight <= kWeightMax (asserted). O(n log n).
[[nodiscard]] BackendSet build_backend_set(
    const BackendSetOptions& options,
    std::vector<BackendView> backends
);

}  // namespace upstream
