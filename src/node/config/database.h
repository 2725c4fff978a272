// Reads [database] and the tables below it: what the SQL router does.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "node/config/config.h"
#include "node/config/section.h"
#include "node/config/settings.h"

namespace node {

// Of sql::Reads, as they are written in a configuration file.
inline constexpr std::array<std::string_view, 3> kReadsNames{"replicas", "all", "primary"};
[[nodiscard]] std::string_view reads_name(sql::Reads reads);

// [database] and its tables, as config/settings.h has those of the other tiers. engine, listen and name need
// a restart.
[[nodiscard]] std::vector<Setting> database_settings(const sql::Config& config);
[[nodiscard]] std::vector<Setting> database_account_settings(const sql::AccountConfig& account);
[[nodiscard]] std::vector<Setting> database_limit_settings(const sql::LimitConfig& limits);
[[nodiscard]] std::vector<Setting> database_pool_settings(const sql::PoolConfig& pool);
[[nodiscard]] std::vector<Setting> database_timeout_settings(const sql::TimeoutConfig& timeouts);

// Where a router listens that is not told where: 127.0.0.1:3306.
[[nodiscard]] net::Address default_database_listen();

// As it is written among `nodes`: "10.0.0.5:3306" in its quotes, or a table with the weight.
[[nodiscard]] std::string database_node_literal(const sql::NodeConfig& node);

// "127.0.0.1:3306", "unix:/run/trilith/mysql.sock".
[[nodiscard]] std::string database_listen_text(const net::Address& address);

// What [database] says of servers that are kept by somebody else, and of the router; relative paths begin at
// `base`.
[[nodiscard]] sql::Config read_database(Section& database, std::string_view base);

// The same where servers of ours have the role `database`, from `cluster` on: they are the router's nodes,
// and its account is the one that is made for it.
[[nodiscard]] sql::Config read_kept_database(
    Section& database,
    std::string_view base,
    const std::vector<ServerConfig>& servers,
    const cluster::Config& cluster
);

// Where a router of this server listens: what is written, or port 3306 of its address where the databases are
// kept here.
[[nodiscard]] std::vector<net::Address> router_listen(const Config& config, const ServerConfig& server);

// Whether the server has a SQL router: it has the role, or runs the site's program, which talks to it.
[[nodiscard]] bool runs_router(const Config& config, const ServerConfig& server);

}  // namespace node
