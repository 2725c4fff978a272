// Checks the keys of [database] that keep a cluster.
#include "node/config/cluster.h"

#include <algorithm>
#include <array>
#include <format>
#include <map>

#include "cluster/settings.h"
#include "core/panic.h"
#include "node/config/database.h"
#include "node/config/listen.h"
#include "node/config/names.h"

namespace node {

namespace {

constexpr Applies kWholeCluster = Applies::after_restart;
constexpr std::array<std::string_view, 2> kDurabilityNames{"lossless", "async"};
constexpr std::array<std::string_view, 2> kAloneNames{"async", "hold"};
constexpr std::array<std::string_view, 2> kRejoinNames{"ordered", "automatic"};
// Schemas that a server has by itself, or that are ours.
constexpr std::array<std::string_view, 5>
    kTakenSchemas{"mysql", "sys", "trilith", "information_schema", "performance_schema"};
constexpr std::string_view kExpectedSchema = "the name of a schema such as \"foobar\"";

std::vector<std::string_view> database_servers(const std::vector<ServerConfig>& servers) {
    std::vector<std::string_view> names;
    for (const ServerConfig& server : servers) {
        if (server.roles.has(Role::database)) {
            names.push_back(server.name);
        }
    }
    return names;
}

void read_schema(Section& database, std::string& name) {
    constexpr size_t kSchemaBytesMax = 64;
    auto text = database.read_text("name", kExpectedSchema, kSchemaBytesMax);
    if (!text) {
        if (database.find("name") == nullptr) {
            database.problems().add(
                database.table().position,
                "[database]: name is missing; write name = \"foobar\", the schema that the site's program "
                "uses"
            );
        }
        return;
    }
    if (!is_name(*text, kSchemaBytesMax, "_-") || std::ranges::contains(kTakenSchemas, *text)) {
        database.refuse(
            "name",
            *database.find("name"),
            "letters, digits, \"_\" or \"-\", and no schema of the server's own"
        );
    }
    name = *text;
}

void read_primary(Section& database, std::string& primary, const std::vector<std::string_view>& names) {
    primary = names.front();
    auto text = database.read_text("primary", "the name of a server with the role \"database\"");
    if (!text) {
        return;
    }
    if (!std::ranges::contains(names, *text)) {
        database.problems().add(
            database.find("primary")->position,
            std::format(
                "{}: no server named {} has the role \"database\"{}",
                database.dotted("primary"),
                in_quotes(*text),
                suggestion(*text, names, "servers that have it")
            )
        );
    }
    primary = *text;
}

// Each server's id follows from its name.
void refuse_equal_ids(Section& database, const std::vector<std::string_view>& names) {
    std::map<uint16_t, std::string_view> ids;
    for (std::string_view name : names) {
        auto [found, is_new] = ids.emplace(cluster::server_number_of(name), name);
        if (!is_new) {
            database.problems().add(
                database.table().position,
                std::format(
                    "[database]: the servers {} and {} would have the same server ids: rename one",
                    in_quotes(found->second),
                    in_quotes(name)
                )
            );
        }
    }
}

}  // namespace

std::vector<Setting> cluster_settings(const cluster::Config& config) {
    const cluster::Config defaults;
    auto number = [](uint16_t port) { return std::to_string(port); };
    auto durability = [](upstream::Durability value) {
        return text_literal(kDurabilityNames[static_cast<size_t>(value)]);
    };
    auto alone = [](cluster::Alone value) { return text_literal(kAloneNames[static_cast<size_t>(value)]); };
    auto rejoin = [](cluster::Rejoin value) {
        return text_literal(kRejoinNames[static_cast<size_t>(value)]);
    };
    auto bytes = [](uint64_t value) { return text_literal(core::format_byte_count(value)); };
    return {
        {"primary", text_literal(config.primary), "", kWholeCluster},
        {"durability", durability(config.durability), durability(defaults.durability), kWholeCluster},
        {"alone", alone(config.alone), alone(defaults.alone), kWholeCluster},
        {"rejoin", rejoin(config.rejoin), rejoin(defaults.rejoin), kWholeCluster},
        {"memory", bytes(config.memory), bytes(defaults.memory), kWholeCluster},
        {"directory", config.directory.empty() ? "" : text_literal(config.directory), "", kWholeCluster},
        {"port", number(config.port), number(defaults.port), kWholeCluster},
        {"manager_port", number(config.manager_port), number(defaults.manager_port), kWholeCluster},
    };
}

cluster::Config read_cluster(
    Section& database,
    std::string_view base,
    const std::vector<ServerConfig>& servers
) {
    cluster::Config config;
    std::vector<std::string_view> names = database_servers(servers);
    ASSERT(!names.empty());
    read_schema(database, config.name);
    read_primary(database, config.primary, names);
    if (auto choice = database.read_choice("durability", kDurabilityNames)) {
        config.durability = static_cast<upstream::Durability>(*choice);
    }
    if (auto choice = database.read_choice("alone", kAloneNames)) {
        config.alone = static_cast<cluster::Alone>(*choice);
    }
    if (auto choice = database.read_choice("rejoin", kRejoinNames)) {
        config.rejoin = static_cast<cluster::Rejoin>(*choice);
    }
    database.read_bytes("memory", config.memory, {16ULL << 20, 16ULL << 40});
    if (auto directory = database.read_file_path("directory", "a folder such as \"/srv/database\"", base)) {
        config.directory = *std::move(directory);
    }
    database.read_port("port", config.port);
    database.read_port("manager_port", config.manager_port);
    refuse_equal_ids(database, names);
    return config;
}

std::vector<cluster::Place> cluster_places(const Config& config, const std::string& shared) {
    ASSERT(config.cluster.has_value());
    const cluster::Config& cluster = *config.cluster;
    std::string base = cluster.directory.empty() ? shared + "/servers" : cluster.directory;
    std::vector<net::Address> routers;
    for (const ServerConfig& server : config.servers) {
        if (runs_router(config, server)) {
            routers.push_back(server.address);
        }
    }
    std::vector<cluster::Place> places;
    for (const ServerConfig& server : config.servers) {
        if (server.roles.has(Role::database)) {
            places.push_back({
                .server = server.name,
                .database = at_port(server.address, cluster.port),
                .manager = at_port(server.address, cluster.manager_port),
                .directory = base + "/" + server.name,
                .proxies = routers,
            });
        }
    }
    return places;
}

}  // namespace node
