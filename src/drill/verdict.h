// Whether a drill kept within its objectives. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drill/config.h"
#include "drill/ledger.h"
#include "drill/tally.h"

namespace drill {

// What a drill found out, besides the samples.
struct Findings {
    std::optional<core::Duration> recovery{};  // from the deed; none: it did not recover while it was waited
                                               // for
    std::optional<LedgerCheck> ledger{};       // none: no statements were run
    std::string ledger_problem{};  // not empty: what was written could not be looked at afterwards
};

// One objective that was judged.
struct Judgement {
    std::string_view objective;  // its key
    std::string wanted;          // "at most 3s"
    std::string seen;            // "1.2s"
    bool is_met = false;
};

// Those objectives that are set and whose kind of sample there was, in the order of [objectives]. What could
// not be found out is not met.
[[nodiscard]] std::vector<Judgement> judge(
    const Tally& tally,
    const Findings& findings,
    const Objectives& objectives
);

// "1.2s", "340ms", "0.8ms": as precise as it is of use.
[[nodiscard]] std::string brief_duration(core::Duration duration);

}  // namespace drill
