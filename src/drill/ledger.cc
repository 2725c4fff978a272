#include "drill/ledger.h"

#include <unordered_map>

namespace drill {

LedgerCheck check_ledger(
    std::span<const LedgerRow> written,
    std::span<const LedgerRow> acknowledged,
    std::span<const LedgerRow> found
) {
    struct Fate {
        uint64_t value = 0;
        uint64_t times = 0;  // found
        bool is_changed = false;
    };
    LedgerCheck check;
    std::unordered_map<uint64_t, Fate> fates;
    for (const LedgerRow& row : written) {
        fates[row.id].value = row.value;
    }
    for (const LedgerRow& row : found) {
        auto fate = fates.find(row.id);
        if (fate == fates.end()) {
            ++check.strange;
            continue;
        }
        ++fate->second.times;
        fate->second.is_changed = fate->second.is_changed || fate->second.value != row.value;
    }
    for (const auto& [id, fate] : fates) {
        check.doubled += fate.times > 1 ? 1 : 0;
    }
    std::unordered_map<uint64_t, bool> is_acknowledged;
    for (const LedgerRow& row : acknowledged) {
        const Fate& fate = fates[row.id];
        check.lost += fate.times == 0 ? 1 : 0;
        check.changed += fate.is_changed ? 1 : 0;
        check.sum_acknowledged += row.value;
        is_acknowledged[row.id] = true;
    }
    check.acknowledged = acknowledged.size();
    for (const LedgerRow& row : found) {
        check.sum_found += is_acknowledged.contains(row.id) ? row.value : 0;
    }
    return check;
}

}  // namespace drill
