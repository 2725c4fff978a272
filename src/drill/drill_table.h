// The table of a drill, trilith_drill: made before it, read and dropped after it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "drill/database_place.h"
#include "drill/ledger.h"

namespace drill {

// A row that no write makes: who reads it reads this drill's table, and not what an earlier one left.
inline constexpr uint64_t kMarkerId = 0;

class DrillTable {
public:
    // All outlive it; there is at least one place.
    DrillTable(
        runtime::Reactor& reactor,
        net::SharedReadBuffer& shared,
        std::span<const DatabasePlace> places
    )
        : reactor_(reactor), shared_(shared), places_(places) {}

    // Makes it, empty but for the marker, and waits until it can be read through every place.
    [[nodiscard]] runtime::Task<core::Result<void>> make(uint64_t marker, core::Instant deadline);

    // All rows that the primary has, but for the marker. Tries again until the deadline.
    [[nodiscard]] runtime::Task<core::Result<std::vector<LedgerRow>>> read(core::Instant deadline);

    [[nodiscard]] runtime::Task<core::Result<void>> drop(core::Instant deadline);

private:
    [[nodiscard]] runtime::Task<core::Result<void>> await_marker(
        const DatabasePlace& place,
        uint64_t marker,
        core::Instant deadline
    );
    // Over a connection of its own to the first place that answers.
    [[nodiscard]] runtime::Task<mariadb::ServerResult<mariadb::QueryAnswer>> ask(
        std::string_view text,
        core::Instant deadline
    );

    runtime::Reactor& reactor_;
    net::SharedReadBuffer& shared_;
    std::span<const DatabasePlace> places_;
};

}  // namespace drill
