// What every mariadbd of the cluster is started with: the settings that a failover without loss needs, which
// are ours alone, and the accounts that a new cluster begins with. Texts; no I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cluster/config.h"
#include "cluster/secrets.h"
#include "core/result.h"
#include "mariadb/query_reader.h"

namespace cluster {

// Names of the accounts that we make.
inline constexpr std::string_view kManagerUser = "trilith_manager";  // ours
inline constexpr std::string_view kReplicaUser = "trilith_replica";  // the replicas', at their source
inline constexpr std::string_view kRouterUser = "trilith_router";    // the SQL routers'
inline constexpr std::string_view kAdminUser = "trilith_admin";      // the operator's
inline constexpr std::string_view kAppUser = "app";                  // the site's program's

// The server's number of 16 bits: by its name alone, so that it stays whatever becomes of the others; never
// 0.
[[nodiscard]] uint16_t server_number_of(std::string_view server);

// The server id of a mariadbd that is started in this epoch. A replica leaves out what its source has of the
// replica's own id (unless it acknowledges), and a server whose place was taken has to get back under its
// next id what it wrote itself and took back: so no server has the same id in the next epoch.
[[nodiscard]] uint32_t server_id_of(std::string_view server, uint64_t epoch);

// The settings file of one server: there is no init_rpl_role in it, which is decided at each start
// (cluster::start_role).
[[nodiscard]] std::string settings_text(const Config& config, const Place& place, uint64_t epoch);

// What a running server is asked for, and which of the settings that are ours have another value in its
// answer: "sync_binlog is 0, not 1"; empty: none.
[[nodiscard]] std::string watched_settings_statement();
[[nodiscard]] std::string settings_drift(const mariadb::QueryResult& answer);

// Where the settings file of a server is, and the word of its command line that tells its processes from
// others.
[[nodiscard]] std::string settings_file(const Place& place);
[[nodiscard]] std::string settings_word(const Place& place);

// SQL for mariadb-install-db: the site's schema, our own, and all accounts.
[[nodiscard]] std::string first_accounts(const Config& config, const Secrets& secrets);

// What stands in a file beside the data: whose they are.
[[nodiscard]] std::string owner_text(std::string_view site, std::string_view server);

}  // namespace cluster
