// What a server has written that its primary has not: found by comparing what each has of every server id
// (@@gtid_binlog_state). Pure. No server writes under the same id in two reigns that end by a failover
// (settings.h), so what is of one id at the primary is the beginning of what any other server has of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/gtid.h"

namespace cluster {

// The last transaction of each domain and server id that is in a server's binlogs.
using GtidState = std::vector<mysql::Gtid>;

// Nothing for malformed text.
[[nodiscard]] std::optional<GtidState> read_gtid_state(std::string_view text);

// The state, as text, of a server at this GTID position, which it reached after it had the state `before`:
// what the position names is the newest, and comes last. Nothing for malformed texts.
[[nodiscard]] std::optional<std::string> state_text_at(std::string_view before, std::string_view position);

// Transactions of one domain and server id that the primary has not.
struct Extra {
    mysql::Gtid last{};
    uint64_t after = 0;  // the sequence number of the last that it has; 0: it has none of that id

    friend bool operator==(const Extra&, const Extra&) = default;
};

// Where the primary goes on writing, its own id does not count: it may have been looked at earlier.
[[nodiscard]] std::vector<Extra> extra_of(
    const GtidState& own,
    const GtidState& primary,
    std::optional<uint32_t> primary_id
);

// "0-985333760-115 (after 112)", with commas between.
[[nodiscard]] std::string describe_extra(const std::vector<Extra>& extra);

}  // namespace cluster
