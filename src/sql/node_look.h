// One look at a node: what it is asked, in one round trip, and what its answer means.
#pragma once

#include <string>
#include <string_view>

#include "sql/server_words.h"
#include "sql/topology.h"

namespace sql {

// Errors to the router's own questions: ER_TABLEACCESS_DENIED_ERROR, ER_NO_SUCH_TABLE,
// ER_SPECIFIC_ACCESS_DENIED_ERROR.
inline constexpr uint16_t kErrorTableAccessDenied = 1142;
inline constexpr uint16_t kErrorNoSuchTable = 1146;
inline constexpr uint16_t kErrorPrivilegeNeeded = 1227;

// The account needs REPLICA MONITOR for the second statement; the others need no privilege.
inline constexpr std::string_view kLookText =
    "SELECT @@global.read_only AS read_only, @@global.server_id AS server_id, "
    "@@global.gtid_slave_pos AS applied, @@global.gtid_binlog_pos AS written;"
    "SHOW ALL SLAVES STATUS;"
    "SHOW GLOBAL STATUS LIKE 'Uptime'";

// A fourth statement may read the heartbeat (Heartbeat::kReadText); that it fails is no failure of the look.
// `version`: as the greeting said it, without its prefix.
[[nodiscard]] Look read_look(const QueryAnswer& answer, std::string_view version);

// Why a node could not be looked at, as a look.
[[nodiscard]] Look failed_look(const ServerFailure& failure);

// "1045 Access denied …" of the server, or our own sentence.
[[nodiscard]] std::string failure_text(const ServerFailure& failure);

}  // namespace sql
