// The SQL of each step, as real servers were seen to need it (docs/decisions/0017). Texts; no I/O.
#pragma once

#include <string>
#include <string_view>

#include "cluster/config.h"

namespace cluster {

// Statements in one text run in turn; the first that fails ends them.
inline constexpr std::string_view kOpenStatements = "SET GLOBAL read_only = 0";
inline constexpr std::string_view kArmStatements = "SET GLOBAL rpl_semi_sync_master_enabled = 1";
inline constexpr std::string_view kDisarmStatements = "SET GLOBAL rpl_semi_sync_master_enabled = 0";
inline constexpr std::string_view kStopReceiverStatements = "STOP SLAVE IO_THREAD";
inline constexpr std::string_view kStartReceiverStatements = "START SLAVE IO_THREAD";
// A change acts when the receiver starts next; while the applier runs, nothing received is lost by that.
inline constexpr std::string_view kAttachStatements =
    "SET GLOBAL sync_relay_log = 1;SET GLOBAL rpl_semi_sync_slave_enabled = 1;STOP SLAVE IO_THREAD;START "
    "SLAVE "
    "IO_THREAD";
// Behind a stop that may take its time where a transaction is being applied.
inline constexpr std::string_view kPositionStatement = "SELECT @@global.gtid_binlog_pos AS written";

// STOP SLAVE; RESET SLAVE ALL; armed or not: in this order, since an armed replica's applier hangs.
[[nodiscard]] std::string promote_statements(bool is_armed);

enum class Acknowledging : uint8_t { no, yes };

// It replicates from `source` from what it has applied on. Only where the source has all that it received:
// its relay log is lost.
[[nodiscard]] std::string follow_statements(
    const net::Address& source,
    std::string_view secret,
    Acknowledging acknowledging
);

// Rows of trilith.epoch. A row stays locked while a write of it waits for its acknowledgement; so writes that
// may be under way at the same time have a row each.
inline constexpr uint32_t kEpochRow = 1;  // the first write of each epoch
inline constexpr uint32_t kProbeRow = 2;

// The row of the leader's `count`th nudge, another one for each of a thousand in a row.
[[nodiscard]] uint32_t nudge_row(uint64_t count);

// A write of this row; whoever is attached acknowledges everything before it, too.
[[nodiscard]] std::string write_statements(uint32_t row, uint64_t epoch, std::string_view server);

// 0 when the replica has applied everything up to `position`, -1 when it has not within `seconds`.
[[nodiscard]] std::string await_position_statement(std::string_view position, unsigned seconds);

}  // namespace cluster
