// Where the site's program has its database, for what speaks to it as the program does.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "mariadb/database_url.h"
#include "node/config/config.h"
#include "runtime/os.h"

namespace node {

// At least one. Of a database that the site keeps: the SQL routers of this machine in the order of the
// servers, with the program's secret below `database_dir` (SitePaths). Else the one that DATABASE_URL says,
// of [app.env], else of our own environment. not_found: no router is here; refused: the database has not been
// made yet; invalid: nobody says where it is.
[[nodiscard]] core::Result<std::vector<mariadb::DatabaseUrl>> program_databases(
    const Config& config,
    const std::string& database_dir,
    runtime::Os& os
);

// The server whose SQL router listens there; empty: none of the site's.
[[nodiscard]] std::string server_of_router(const Config& config, const net::Address& address);

}  // namespace node
