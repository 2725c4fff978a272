#include "node/verbs/migrate_command.h"

#include "node/config/file.h"
#include "node/serve/program_database.h"
#include "node/verbs/migration_run.h"

namespace node {

namespace {

runtime::Task<void> run_all_steps(MigrationRun& run, const mariadb::DatabaseUrl& place, int& status) {
    status = co_await run.run(place);
}

}  // namespace

std::string migrations_directory(const Config& config) { return config.base_directory + "/migrations"; }

bool has_migrations(const Config& config) {
    auto files = read_migrations(migrations_directory(config));
    return config.cluster && (!files || !files->empty());  // what is wrong with them is told by the run
}

int migrate(const MigrateOptions& options, Console& console) {
    auto config = load_config(options.file);
    if (!config) {
        for (const ConfigError& error : config.error()) {
            console.err(error.to_string() + "\n");
        }
        return 2;
    }
    auto wrong = [&](const core::Error& error) {
        console.err("trilith: " + error.context() + "\n");
        return error.kind() == core::ErrorKind::refused ? 1 : 2;
    };
    auto files = read_migrations(migrations_directory(*config));
    if (!files) {
        return wrong(files.error());
    }
    auto paths = site_paths(options.directories, console.environment, config->site);
    if (!paths) {
        return wrong(paths.error());
    }
    auto places = program_databases(*config, paths->database_dir(), console.os);
    if (!places) {
        return wrong(places.error());
    }
    auto reactor = runtime::Reactor::open(console.os);
    if (!reactor) {
        return wrong(reactor.error());
    }
    net::BufferPool pool;
    net::SharedReadBuffer shared(pool);
    int status = 1;
    {
        MigrationRun run(**reactor, shared, console, *files);
        (*reactor)->run(run_all_steps(run, places->front(), status));
    }
    return status;
}

}  // namespace node
