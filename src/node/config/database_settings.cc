// [database] as it is printed and compared.
#include <format>

#include "node/config/database.h"
#include "node/config/listen.h"

namespace node {

namespace {

constexpr std::string_view kDatabaseDefaultListen = "127.0.0.1:3306";

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

// Empty where there is none.
std::string nodes_literal(const std::vector<sql::NodeConfig>& nodes) {
    std::string text;
    for (const sql::NodeConfig& node : nodes) {
        text += (text.empty() ? "[" : ", ") + database_node_literal(node);
    }
    return text.empty() ? "" : text + "]";
}

}  // namespace

net::Address default_database_listen() {
    auto address = net::Address::parse(kDatabaseDefaultListen);
    return address ? *address : net::Address();
}

std::vector<Setting> database_settings(const sql::Config& config) {
    const sql::Config defaults;
    return {
        {"engine", text_literal("mariadb"), text_literal("mariadb"), Applies::after_restart},
        {"listen",
         addresses_literal(config.listen),
         addresses_literal({default_database_listen()}),
         Applies::after_restart},
        {"name", config.name.empty() ? "" : text_literal(config.name), "", Applies::after_restart},
        {"nodes", nodes_literal(config.nodes), "", Applies::live},
        {"reads", text_literal(reads_name(config.reads)), text_literal(reads_name(defaults.reads))},
        {"max_lag", duration_literal(config.max_lag), duration_literal(defaults.max_lag)},
        {"read_your_writes.wait",
         duration_literal(config.own_writes_wait),
         duration_literal(defaults.own_writes_wait)},
        {"hold", duration_literal(config.hold), duration_literal(defaults.hold)},
    };
}

std::vector<Setting> database_account_settings(const sql::AccountConfig& account) {
    std::string file = account.password_file.empty() ? "" : text_literal(account.password_file);
    return {
        {"user", text_literal(account.user), ""},
        {"password_file", std::move(file), ""},
    };
}

std::vector<Setting> database_limit_settings(const sql::LimitConfig& limits) {
    const sql::LimitConfig defaults;
    return {
        {"clients", std::to_string(limits.clients), std::to_string(defaults.clients)},
        {"clients_per_address",
         std::to_string(limits.clients_per_address),
         std::to_string(defaults.clients_per_address)},
        {"failed_logins", std::to_string(limits.failed_logins), std::to_string(defaults.failed_logins)},
        {"packet", bytes_literal(limits.packet), bytes_literal(defaults.packet)},
    };
}

std::vector<Setting> database_pool_settings(const sql::PoolConfig& pool) {
    const sql::PoolConfig defaults;
    return {
        {"connections", std::to_string(pool.connections), std::to_string(defaults.connections)},
        {"queue", std::to_string(pool.queue), std::to_string(defaults.queue)},
        {"queue_timeout", duration_literal(pool.queue_timeout), duration_literal(defaults.queue_timeout)},
        {"idle", duration_literal(pool.idle), duration_literal(defaults.idle)},
        {"prepared", std::to_string(pool.prepared), std::to_string(defaults.prepared)},
        {"warm", std::to_string(pool.warm), std::to_string(defaults.warm)},
    };
}

std::vector<Setting> database_timeout_settings(const sql::TimeoutConfig& timeouts) {
    const sql::TimeoutConfig defaults;
    return {
        {"login", duration_literal(timeouts.login), duration_literal(defaults.login)},
        {"connect", duration_literal(timeouts.connect), duration_literal(defaults.connect)},
        {"idle", duration_literal(timeouts.idle), duration_literal(defaults.idle)},
        {"body", duration_literal(timeouts.body), duration_literal(defaults.body)},
        {"drain", duration_literal(timeouts.drain), duration_literal(defaults.drain)},
    };
}

std::string database_node_literal(const sql::NodeConfig& node) {
    std::string address = text_literal(node.address.to_string());
    bool is_usual = node.weight == sql::NodeConfig{}.weight;
    return is_usual ? address : std::format("{{ address = {}, weight = {} }}", address, node.weight);
}

std::string_view reads_name(sql::Reads reads) { return kReadsNames[static_cast<size_t>(reads)]; }

std::string database_listen_text(const net::Address& address) { return address.to_string(); }

}  // namespace node
