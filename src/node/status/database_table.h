// The database cluster's part of the status table.
#pragma once

#include <string>

#include "node/status/status.h"
#include "node/status/table.h"

namespace node {

// One line of what this server's mariadbd does; of the leader also what it sees of each server, and why the
// primary would not be replaced now.
void append_database(std::string& target, const DatabaseStatus& database, const TableOptions& options);

}  // namespace node
