// Checks the keys of [database].
#include "node/config_database.h"

#include <algorithm>
#include <array>
#include <format>

#include "cluster/settings.h"
#include "core/panic.h"
#include "node/config_listen.h"
#include "node/config_names.h"
#include "node/config_paths.h"

namespace node {

namespace {

using namespace std::chrono_literals;

constexpr size_t kDatabaseListenMax = 100;
constexpr size_t kDatabaseNodesMax = 64;
constexpr uint16_t kDatabasePort = 3306;
constexpr uint32_t kDatabaseClientsMax = 1'000'000;
constexpr uint32_t kPreparedMax = 10'000;
constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kDatabaseDefaultListen = "127.0.0.1:3306";
constexpr std::string_view kExpectedDatabaseListen =
    "an address such as \"127.0.0.1:3306\" or \"unix:/run/db.sock\"";
constexpr std::string_view kExpectedNode = "an address such as \"10.0.0.5:3306\"";
constexpr std::array<std::string_view, 3> kReads{"replicas", "all", "primary"};
constexpr std::array<std::string_view, 1> kEngines{"mariadb"};
constexpr std::array<std::string_view, 1> kLaterEngines{"mysql"};

constexpr Applies kWholeDatabase = Applies::after_restart;

std::string duration_literal(core::Duration duration) {
    return text_literal(core::format_duration(duration));
}

std::string bytes_literal(uint64_t bytes) { return text_literal(core::format_byte_count(bytes)); }

// Empty where there is none.
std::string addresses_literal(const std::vector<net::Address>& addresses) {
    if (addresses.empty()) {
        return "";
    }
    std::string text = "[";
    for (const net::Address& address : addresses) {
        text += (text.size() == 1 ? "" : ", ") + text_literal(database_listen_text(address));
    }
    return text + "]";
}

net::Address default_database_listen() {
    auto address = net::Address::parse(kDatabaseDefaultListen);
    return address ? *address : net::Address();
}

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

void read_nodes(Section& database, std::vector<net::Address>& nodes) {
    if (database.find("nodes") == nullptr) {
        database.problems().add(
            database.table().position,
            "[database]: nodes is missing; write nodes = [\"10.0.0.5:3306\", \"10.0.0.6:3306\"], the "
            "addresses of the database servers"
        );
        return;
    }
    std::string key = database.dotted("nodes");
    TextRule rule{.key = key, .expected = kExpectedNode};
    auto read_item = [&](const TomlValue& item) {
        auto text = read_text(item, rule, database.problems());
        if (!text) {
            return;
        }
        auto address = net::Address::parse(*text);
        if (!address || is_any_address(*address) || address->port() == 0) {
            bool has_no_port = net::Address::parse_host(*text).has_value();
            refuse_database_text(
                database,
                item,
                rule,
                has_no_port ? ": write the port, too"
                            : ": names are not looked up, write the IPv4 or IPv6 address"
            );
        } else if (std::ranges::contains(nodes, *address)) {
            refuse_database_text(database, item, rule, ", which is there already");
        } else {
            nodes.push_back(*address);
        }
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
    if (auto choice = database.read_choice("reads", kReads)) {
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

std::vector<Setting> database_settings(const sql::Config& config) {
    const sql::Config defaults;
    return {
        {"engine", text_literal("mariadb"), text_literal("mariadb"), kWholeDatabase},
        {"listen",
         addresses_literal(config.listen),
         addresses_literal({default_database_listen()}),
         kWholeDatabase},
        {"name", config.name.empty() ? "" : text_literal(config.name), "", kWholeDatabase},
        {"nodes", addresses_literal(config.nodes), "", kWholeDatabase},
        {"reads",
         text_literal(reads_name(config.reads)),
         text_literal(reads_name(defaults.reads)),
         kWholeDatabase},
        {"max_lag", duration_literal(config.max_lag), duration_literal(defaults.max_lag), kWholeDatabase},
        {"read_your_writes.wait",
         duration_literal(config.own_writes_wait),
         duration_literal(defaults.own_writes_wait),
         kWholeDatabase},
        {"hold", duration_literal(config.hold), duration_literal(defaults.hold), kWholeDatabase},
    };
}

std::vector<Setting> database_account_settings(const sql::AccountConfig& account) {
    std::string file = account.password_file.empty() ? "" : text_literal(account.password_file);
    return {
        {"user", text_literal(account.user), "", kWholeDatabase},
        {"password_file", std::move(file), "", kWholeDatabase},
    };
}

std::vector<Setting> database_limit_settings(const sql::LimitConfig& limits) {
    const sql::LimitConfig defaults;
    return {
        {"clients", std::to_string(limits.clients), std::to_string(defaults.clients), kWholeDatabase},
        {"clients_per_address",
         std::to_string(limits.clients_per_address),
         std::to_string(defaults.clients_per_address),
         kWholeDatabase},
        {"failed_logins",
         std::to_string(limits.failed_logins),
         std::to_string(defaults.failed_logins),
         kWholeDatabase},
        {"packet", bytes_literal(limits.packet), bytes_literal(defaults.packet), kWholeDatabase},
    };
}

std::vector<Setting> database_pool_settings(const sql::PoolConfig& pool) {
    const sql::PoolConfig defaults;
    return {
        {"connections", std::to_string(pool.connections), std::to_string(defaults.connections), kWholeDatabase
        },
        {"queue", std::to_string(pool.queue), std::to_string(defaults.queue), kWholeDatabase},
        {"queue_timeout",
         duration_literal(pool.queue_timeout),
         duration_literal(defaults.queue_timeout),
         kWholeDatabase},
        {"idle", duration_literal(pool.idle), duration_literal(defaults.idle), kWholeDatabase},
        {"prepared", std::to_string(pool.prepared), std::to_string(defaults.prepared), kWholeDatabase},
        {"warm", std::to_string(pool.warm), std::to_string(defaults.warm), kWholeDatabase},
    };
}

std::vector<Setting> database_timeout_settings(const sql::TimeoutConfig& timeouts) {
    const sql::TimeoutConfig defaults;
    return {
        {"login", duration_literal(timeouts.login), duration_literal(defaults.login), kWholeDatabase},
        {"connect", duration_literal(timeouts.connect), duration_literal(defaults.connect), kWholeDatabase},
        {"idle", duration_literal(timeouts.idle), duration_literal(defaults.idle), kWholeDatabase},
        {"body", duration_literal(timeouts.body), duration_literal(defaults.body), kWholeDatabase},
        {"drain", duration_literal(timeouts.drain), duration_literal(defaults.drain), kWholeDatabase},
    };
}

std::string_view reads_name(sql::Reads reads) { return kReads[static_cast<size_t>(reads)]; }

std::string database_listen_text(const net::Address& address) { return address.to_string(); }

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
            config.nodes.push_back(at_port(server.address, cluster.port));
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
