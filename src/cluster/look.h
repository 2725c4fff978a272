// One look at a server: what it is asked, in one round trip, and what its answer means. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cluster/view.h"
#include "core/result.h"
#include "mariadb/query_reader.h"

namespace cluster {

inline constexpr std::string_view kLookStatements =
    "SELECT @@global.read_only AS read_only, @@global.gtid_slave_pos AS applied, "
    "@@global.gtid_binlog_pos AS written, @@global.rpl_semi_sync_master_enabled AS armed, "
    "@@global.rpl_semi_sync_slave_enabled AS acknowledges, "
    "@@global.server_id AS server_id, @@global.gtid_binlog_state AS state;"
    "SHOW ALL SLAVES STATUS;"
    "SHOW GLOBAL STATUS LIKE 'Rpl\\_semi\\_sync\\_master\\_%'";

// The server's name for where a replica says that it replicates from, "10.0.0.5:3307"; the text itself where
// it is no server of ours.
using NameSource = std::function<std::string(const std::string& address)>;

// invalid: it is not what a MariaDB server answers.
[[nodiscard]] core::Result<Sight> read_sight(
    const mariadb::QueryAnswer& answer,
    const NameSource& name_source
);

}  // namespace cluster
