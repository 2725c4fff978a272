// The verb `migrate`: runs what is new in the folder migrations/ beside the file (verbs/migration_plan.h),
// once, in order, recorded and locked.
#pragma once

#include <string>

#include "node/config/config.h"
#include "node/verbs/command_line.h"
#include "node/verbs/console.h"

namespace node {

// What is recorded of the site's migrations is in its own schema, in the table trilith_migrations: a row a
// statement, "begun" before it runs and "done" in one transaction with it where it can be rolled back. Two
// runs at the same time wait for each other.
//
// Returns the exit status: 0 all is done, 1 it cannot be done now (no database, no primary, another run), 2
// wrong configuration, or a migration that is wrong: a line on `err` says why.
[[nodiscard]] int migrate(const MigrateOptions& options, Console& console);

// Where the files are.
[[nodiscard]] std::string migrations_directory(const Config& config);

// Whether `up` runs them: the site keeps its database, and there are files.
[[nodiscard]] bool has_migrations(const Config& config);

}  // namespace node
