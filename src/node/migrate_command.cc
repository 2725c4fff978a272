#include "node/migrate_command.h"

#include <algorithm>
#include <cstdlib>
#include <format>

#include "cluster/secrets.h"
#include "cluster/settings.h"
#include "node/config_database.h"
#include "node/config_file.h"
#include "node/migration_run.h"
#include "node/site_places.h"

namespace node {

namespace {

constexpr std::string_view kDatabaseUrl = "DATABASE_URL";

// Of a database that the site keeps: by a router of this machine, as the site's program.
core::Result<mariadb::DatabaseUrl> kept_place(const Config& config, const SitePaths& paths, runtime::Os& os) {
    auto is_near = [&](const ServerConfig& server) {
        return runs_router(config, server) && is_of_this_machine(os, server);
    };
    auto server = std::ranges::find_if(config.servers, is_near);
    if (server == config.servers.end()) {
        return core::fail(core::ErrorKind::not_found, "no server of this machine has a SQL router");
    }
    TRY(auto secret, cluster::read_secret(cluster::secret_file(paths.database_dir(), "app")));
    if (!secret) {
        return core::fail(
            core::ErrorKind::refused,
            "the database has not been made yet: start the site first"
        );
    }
    return mariadb::DatabaseUrl{
        .address = router_listen(config, *server).front(),
        .user = std::string(cluster::kAppUser),
        .password = *std::move(secret),
        .database = config.cluster->name,
    };
}

// What the site's program is given; else our own environment.
core::Result<mariadb::DatabaseUrl> written_place(const Config& config) {
    std::string text;
    if (config.app) {
        const auto& variables = config.app->program.env;
        auto found =
            std::ranges::find_if(variables, [](const auto& entry) { return entry.first == kDatabaseUrl; });
        text = found == variables.end() ? "" : found->second;
    }
    if (const char* given = std::getenv(kDatabaseUrl.data()); text.empty() && given != nullptr) {
        text = given;
    }
    if (text.empty()) {
        return core::fail(
            core::ErrorKind::invalid,
            "the site keeps no database: say where it is by DATABASE_URL, in [app.env] or the environment"
        );
    }
    auto place = mariadb::read_database_url(text);
    return place ? std::move(place) : core::fail(std::move(place).error().within(kDatabaseUrl));
}

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
    auto place = config->cluster ? kept_place(*config, *paths, console.os) : written_place(*config);
    if (!place) {
        return wrong(place.error());
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
        (*reactor)->run(run_all_steps(run, *place, status));
    }
    return status;
}

}  // namespace node
