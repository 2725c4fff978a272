// Which of the connections that nobody runs a statement on a session takes: pure, decided from what would be
// lost and what would have to be said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/units.h"
#include "sql/carried_state.h"

namespace sql {

// What would be lost if another session than the one whose statement ran there last took the connection.
enum class Tenure : uint8_t {
    none,  // nothing, or nobody would miss it
    soft,  // ROW_COUNT(), FOUND_ROWS(), LAST_INSERT_ID(), which this session has never asked for
    kept,  // the same of a session that has
    hard,  // warnings, an error, or rows counted by SQL_CALC_FOUND_ROWS
};
inline constexpr size_t kTenureCount = 4;

// From then on a session has most likely turned to something else.
inline constexpr core::Duration kLongIdle = std::chrono::seconds(1);
// From then on even a hard tenure ends, for a session that waits.
inline constexpr core::Duration kTenureMax = std::chrono::seconds(5);

struct PoolOffer {
    Tenure tenure = Tenure::none;
    Likeness likeness = Likeness::same;
    core::Duration idle{};
};

// Whether there is a place to open another connection instead.
enum class OpenPlace : uint8_t { free, none };

// The offer to be taken. Nothing: open one where there is a place, or else wait.
// In order: what nobody would miss, the more alike the better; what has long been idle; a new one; soft ones;
// kept ones; at last hard ones that are over kTenureMax. Unusable ones never.
[[nodiscard]] std::optional<size_t> choose_connection(std::span<const PoolOffer> offers, OpenPlace place);

}  // namespace sql
