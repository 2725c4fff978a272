// How far a replica is behind, from what the primary had written when it was looked at. No clock of another
// machine is compared: a replica that has what the primary had at a moment lags no more than the time since.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "core/units.h"
#include "mysql/gtid.h"

namespace sql {

class LagMeter {
public:
    // Of the primary at `now`, which must not go backwards. Positions that are equal are kept once, with the
    // last moment they were seen.
    void note(const mysql::GtidPosition& written, core::Instant now);

    // An upper bound of the lag of whoever has applied this much; zero if that is all that the primary had
    // when it was last looked at. Nothing if no look is on record that it covers.
    [[nodiscard]] std::optional<core::Duration> lag(const mysql::GtidPosition& applied, core::Instant now)
        const;

    // Another primary: what was known says nothing any more.
    void clear() { marks_.clear(); }

private:
    // With looks twice a second, the last ten minutes; a replica that is further behind has no known lag.
    static constexpr size_t kMarksMax = 1200;

    struct Mark {
        core::Instant last_seen{};
        mysql::GtidPosition written{};
    };

    std::deque<Mark> marks_;  // oldest first
};

}  // namespace sql
