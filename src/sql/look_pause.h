// How often a database server is looked at.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "core/units.h"

namespace sql {

// Between the beginnings of two looks at one node, whoever asks for them.
inline constexpr core::Duration kLookGap = std::chrono::milliseconds(100);
// A node that fails again and again is looked at less often, down to this.
inline constexpr core::Duration kPauseMax = std::chrono::seconds(2);

// How long after a look began the next one does, when `failures` in a row have failed: soon, until `fall` of
// them have and the node is given up, and less often after that. `fall` is 1 or more.
[[nodiscard]] inline core::Duration pause_after(uint32_t failures, uint32_t fall, core::Duration interval) {
    if (failures == 0) {
        return interval;
    }
    if (failures < fall) {
        return std::min(interval, kLookGap);
    }
    constexpr uint32_t kDoublingsMax = 4;
    core::Duration longer = interval * (1 << std::min(failures - fall, kDoublingsMax));
    return std::max(interval, std::min(longer, kPauseMax));
}

}  // namespace sql
