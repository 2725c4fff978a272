// Checks the keys of [database].
#include "node/config/database.h"

#include <algorithm>
#include <array>
#include <format>

#include "cluster/settings.h"
#include "core/panic.h"
#include "node/config/listen.h"
#include "node/config/names.h"
#include "node/config/paths.h"

namespace node {

namespace {

using namespace std::chrono_literals;

constexpr size_t kDatabaseListenMax = 100;
constexpr size_t kDatabaseNodesMax = 64;
constexpr uint16_t kDatabasePort = 3306;
constexpr uint32_t kDatabaseClientsMax = 1'000'000;
constexpr uint32_t kPreparedMax = 10'000;
constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kExpectedDatabaseListen =
    "an address such as \"127.0.0.1:3306\" or \"unix:/run/db.sock\"";
constexpr std::string_view kExpectedNode = "an address such as \"10.0.0.5:3306\"";
constexpr std::array<std::string_view, 1> kEngines{"mariadb"};
constexpr std::array<std::string_view, 1> kLaterEngines{"mysql"};

void refuse_database_text(
    Section& section,
    const TomlValue& item,
    const TextRule& rule,
    std::string_view cure
) {
    section.problems().add(
        item.position,
        std::format("{}: expected {}, found {}{}", rule.key, rule.expected, in_quotes(item.text), cure)
    );
}

core::Result<net::Address> parse_listen_at(std::string_view text, std::string_view base) {
    if (text.starts_with(kUnixPrefix)) {
        return net::Address::of_unix_path(path_from(base, text.substr(kUnixPrefix.size())));
    }
    return net::Address::parse(text);
}

// Calls `read_item` for the text under `key` or for each item of the list there; bounds their number.
void read_texts(
    Section& section,
    std::string_view key,
    std::string_view expected_list,
    size_t count_max,
    auto read_item
) {
    const TomlValue* value = section.find(key);
    if (value == nullptr) {
        return;
    }
    if (value->kind == TomlValue::Kind::text) {
        read_item(*value);
        return;
    }
    auto items = section.read_list(key, expected_list);
    if (value->kind == TomlValue::Kind::list && (items.empty() || items.size() > count_max)) {
        section.problems().add(
            value->position,
            std::format(
                "{}: expected 1 to {} addresses, found {}",
                section.dotted(key),
                count_max,
                items.size()
            )
        );
        return;
    }
    for (const TomlValue& item : items) {
        read_item(item);
    }
}

void read_listen(Section& database, std::vector<net::Address>& listen, std::string_view base) {
    std::string key = database.dotted("listen");
    TextRule rule{.key = key, .expected = kExpectedDatabaseListen};
    auto read_item = [&](const TomlValue& item) {
        auto text = read_text(item, rule, database.problems());
        if (!text) {
            return;
        }
        auto address = parse_listen_at(*text, base);
        if (!address) {
            bool has_scheme = text->contains("://");
            std::string cure = has_scheme ? ": it is no URL, write it without the scheme"
                                          : " (" + address.error().context() + ")";
            refuse_database_text(database, item, rule, cure);
        } else if (std::ranges::contains(listen, *address)) {
            refuse_database_text(database, item, rule, ", which is there already");
        } else {
            listen.push_back(*address);
        }
    };
    read_texts(database, "listen", "a list such as [\"127.0.0.1:3306\"]", kDatabaseListenMax, read_item);
}

// Nothing: it is told what is wrong.
std::optional<net::Address> read_node_address(
    const TomlValue& value,
    const std::string& key,
    Section& database
) {
    TextRule rule{.key = key, .expected = kExpectedNode};
    auto text = read_text(value, rule, database.problems());
    if (!text) {
        return std::nullopt;
    }
    auto address = net::Address::parse(*text);
    if (address && !is_any_address(*address) && address->port() != 0) {
        return *address;
    }
    bool has_no_port = net::Address::parse_host(*text).has_value();
    refuse_database_text(
        database,
        value,
        rule,
        has_no_port ? ": write the port, too" : ": names are not looked up, write the IPv4 or IPv6 address"
    );
    return std::nullopt;
}

// "10.0.0.5:3306", or { address = "10.0.0.5:3306", weight = 50 }.
std::optional<sql::NodeConfig> read_node(const TomlValue& item, Section& database) {
    std::string key = database.dotted("nodes");
    sql::NodeConfig node;
    std::optional<net::Address> address;
    if (item.kind != TomlValue::Kind::table) {
        address = read_node_address(item, key, database);
    } else {
        Section section(item, {key, "a node of [database]"}, database.problems());
        if (const TomlValue* value = section.find("address")) {
            address = read_node_address(*value, section.dotted("address"), database);
        } else {
            section.problems().add(
                item.position,
                "a node of [database] needs an address, such as \"10.0.0.5:3306\""
            );
        }
        section.read("weight", node.weight, {0, upstream::kWeightMax});
        section.finish();
    }
    if (!address) {
        return std::nullopt;
    }
    node.address = *address;
    node.name = address->to_string();
    return node;
}

void read_nodes(Section& database, std::vector<sql::NodeConfig>& nodes) {
    if (database.find("nodes") == nullptr) {
        database.problems().add(
            database.table().position,
            "[database]: nodes is missing; write nodes = [\"10.0.0.5:3306\", \"10.0.0.6:3306\"], the "
            "addresses of the database servers"
        );
        return;
    }
    auto read_item = [&](const TomlValue& item) {
        std::optional<sql::NodeConfig> node = read_node(item, database);
        if (!node) {
            return;
        }
        if (std::ranges::contains(nodes, node->address, &sql::NodeConfig::address)) {
            database.problems().add(
                item.position,
                std::format("{}: {} is there already", database.dotted("nodes"), in_quotes(node->name))
            );
            return;
        }
        nodes.push_back(*std::move(node));
    };
    read_texts(database, "nodes", "a list such as [\"10.0.0.5:3306\"]", kDatabaseNodesMax, read_item);
}

void read_account(Section& database, sql::AccountConfig& account, std::string_view base) {
    auto section = database.child("account");
    if (!section) {
        if (database.find("account") == nullptr) {
            database.problems().add(
                database.table().position,
                "[database]: account is missing; write account = { user = \"trilith\", password_file = "
                "\"secrets/trilith\" }, the account by which the router watches the servers"
            );
        }
        return;
    }
    if (section->find("user") == nullptr) {
        section->problems().add(
            section->table().position,
            std::format("{}: user is missing", section->name().title)
        );
    } else if (auto user = section->read_text("user", "a name such as \"trilith\"", 128)) {
        account.user = *user;
    }
    if (section->table().find("password") != nullptr) {
        section->problems().add(
            section->find("password")->position,
            std::format(
                "{}: a password does not stand in this file; write it into a file of its own and name that: "
                "password_file = \"secrets/trilith\"",
                section->dotted("password")
            )
        );
    }
    auto file = section->read_file_path("password_file", "a file such as \"secrets/trilith\"", base);
    if (file) {
        account.password_file = std::move(*file);
    }
    section->finish();
}

void read_limits(Section& section, sql::LimitConfig& limits) {
    section.read("clients", limits.clients, {1, kDatabaseClientsMax});
    section.read("clients_per_address", limits.clients_per_address, {0, kDatabaseClientsMax});
    section.read("failed_logins", limits.failed_logins, {1, 1'000'000});
    section.read_bytes("packet", limits.packet, {64ULL << 10, 1ULL << 30});
    section.finish();
}

void read_pool(Section& section, sql::PoolConfig& pool) {
    section.read("connections", pool.connections, {1, kDatabaseClientsMax});
    section.read("queue", pool.queue, {0, kDatabaseClientsMax});
    section.read("queue_timeout", pool.queue_timeout, {1ms, 10min});
    section.read("idle", pool.idle, {1s, 24h});
    section.read("prepared", pool.prepared, {1, kPreparedMax});
    section.read("warm", pool.warm, {0, kDatabaseClientsMax});
    section.finish();
}

void read_timeouts(Section& section, sql::TimeoutConfig& timeouts) {
    section.read("login", timeouts.login, {1s, 1h});
    section.read("connect", timeouts.connect, {10ms, 1min});
    section.read("idle", timeouts.idle, {1s, 24h * 365});
    section.read("body", timeouts.body, {1s, 24h});
    section.read("drain", timeouts.drain, {0s, 24h});
    section.finish();
}

// What both kinds of databases have.
void read_routing(Section& database, std::string_view base, sql::Config& config) {
    static_cast<void>(database.read_choice("engine", kEngines, kLaterEngines));
    read_listen(database, config.listen, base);
    if (auto choice = database.read_choice("reads", kReadsNames)) {
        config.reads = static_cast<sql::Reads>(*choice);
    }
    database.read("max_lag", config.max_lag, {100ms, 24h});
    if (auto section = database.child("read_your_writes")) {
        section->read("wait", config.own_writes_wait, {0s, 1min});
        section->finish();
    }
    database.read("hold", config.hold, {0s, 1h});
    if (auto section = database.child("limits")) {
        read_limits(*section, config.limits);
    }
    if (auto section = database.child("pool")) {
        read_pool(*section, config.pool);
    }
    if (auto section = database.child("timeouts")) {
        read_timeouts(*section, config.timeouts);
    }
    database.finish();
}

}  // namespace

sql::Config read_database(Section& database, std::string_view base) {
    sql::Config config;
    if (database.find("listen") == nullptr) {
        config.listen.push_back(default_database_listen());
    }
    if (auto name = database.read_text("name", "the name of a schema such as \"foobar\"", 256)) {
        config.name = *name;
    }
    read_nodes(database, config.nodes);
    read_account(database, config.account, base);
    read_routing(database, base, config);
    return config;
}

sql::Config read_kept_database(
    Section& database,
    std::string_view base,
    const std::vector<ServerConfig>& servers,
    const cluster::Config& cluster
) {
    sql::Config config;
    config.name = cluster.name;
    for (const ServerConfig& server : servers) {
        if (server.roles.has(Role::database)) {
            config.nodes.push_back({.address = at_port(server.address, cluster.port), .name = server.name});
        }
    }
    config.account.user = cluster::kRouterUser;
    for (std::string_view key : {"nodes", "account"}) {
        if (const TomlValue* value = database.find(key)) {
            database.problems().add(
                value->position,
                std::format(
                    "{}: follows from the servers that have the role \"database\": leave it out",
                    database.dotted(key)
                )
            );
        }
    }
    read_routing(database, base, config);
    return config;
}

std::vector<net::Address> router_listen(const Config& config, const ServerConfig& server) {
    ASSERT(config.database.has_value());
    if (config.cluster && config.database->listen.empty()) {
        return {at_port(server.address, kDatabasePort)};
    }
    return config.database->listen;
}

bool runs_router(const Config& config, const ServerConfig& server) {
    return config.database.has_value() && (server.roles.has(Role::router) || server.roles.has(Role::app));
}

}  // namespace node
