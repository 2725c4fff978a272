#include "node/serve/program_database.h"

#include <algorithm>
#include <cstdlib>

#include "cluster/secrets.h"
#include "cluster/settings.h"
#include "node/config/database.h"
#include "node/serve/site_places.h"

namespace node {

namespace {

constexpr std::string_view kDatabaseUrl = "DATABASE_URL";

using ProgramPlaces = core::Result<std::vector<mariadb::DatabaseUrl>>;

ProgramPlaces kept_places(const Config& config, const std::string& database_dir, runtime::Os& os) {
    TRY(auto secret, cluster::read_secret(cluster::secret_file(database_dir, "app")));
    std::vector<mariadb::DatabaseUrl> places;
    for (const ServerConfig& server : config.servers) {
        if (runs_router(config, server) && is_of_this_machine(os, server)) {
            places.push_back({
                .address = router_listen(config, server).front(),
                .user = std::string(cluster::kAppUser),
                .password = secret.value_or(""),
                .database = config.cluster->name,
            });
        }
    }
    if (places.empty()) {
        return core::fail(core::ErrorKind::not_found, "no server of this machine has a SQL router");
    }
    if (!secret) {
        return core::fail(
            core::ErrorKind::refused,
            "the database has not been made yet: start the site first"
        );
    }
    return places;
}

ProgramPlaces written_place(const Config& config) {
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
    return place ? ProgramPlaces({*std::move(place)})
                 : core::fail(std::move(place).error().within(kDatabaseUrl));
}

}  // namespace

ProgramPlaces program_databases(const Config& config, const std::string& database_dir, runtime::Os& os) {
    return config.cluster ? kept_places(config, database_dir, os) : written_place(config);
}

std::string server_of_router(const Config& config, const net::Address& address) {
    auto found = std::ranges::find_if(config.servers, [&](const ServerConfig& server) {
        return runs_router(config, server) && std::ranges::contains(router_listen(config, server), address);
    });
    return found == config.servers.end() ? "" : found->name;
}

}  // namespace node
