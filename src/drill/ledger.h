// What was acknowledged of a drill's writes, and whether it is there afterwards. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace drill {

// A row of the drill's table.
struct LedgerRow {
    uint64_t id = 0;     // another one in each write
    uint64_t value = 0;  // by chance
};

struct LedgerCheck {
    uint64_t acknowledged = 0;
    uint64_t lost = 0;     // of them, not there
    uint64_t doubled = 0;  // there more than once, acknowledged or not
    uint64_t changed = 0;  // acknowledged, and there with another value
    uint64_t strange = 0;  // there, and never written
    // Of the values that were acknowledged, as told to us and as found; both wrap around.
    uint64_t sum_acknowledged = 0;
    uint64_t sum_found = 0;

    // 0: each acknowledged write is there once, as it was written, and the sums are equal.
    [[nodiscard]] uint64_t wrong() const {
        uint64_t count = lost + doubled + changed + strange;
        return count == 0 && sum_acknowledged != sum_found ? 1 : count;
    }
};

// `written`: all that were sent, acknowledged or not, each id once; `acknowledged`: those of them that were.
[[nodiscard]] LedgerCheck check_ledger(
    std::span<const LedgerRow> written,
    std::span<const LedgerRow> acknowledged,
    std::span<const LedgerRow> found
);

}  // namespace drill
