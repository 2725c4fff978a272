#include "cluster/settings.h"

#include <format>

namespace cluster {

namespace {

// Watched: its value while running is compared with this one. Set: others may change it, we do ourselves, or
// it reads back in another form.
enum class SettingUse : uint8_t { set, watched };

struct OwnedSetting {
    std::string_view name;
    std::string_view value;
    SettingUse use = SettingUse::watched;
};

constexpr auto kSet = SettingUse::set;
constexpr OwnedSetting kOwned[]{
    {"log_bin", "binlog", kSet},
    {"log_slave_updates", "1"},
    {"binlog_format", "ROW"},
    {"binlog_row_image", "FULL"},
    {"binlog_expire_logs_seconds", "604800", kSet},
    {"sync_binlog", "1"},
    {"innodb_flush_log_at_trx_commit", "3"},
    {"gtid_strict_mode", "1"},
    {"read_only", "1", kSet},
    {"skip_slave_start", "1", kSet},
    {"relay_log", "relay", kSet},
    {"sync_relay_log", "1", kSet},
    {"slave_net_timeout", "4"},
    {"slave_parallel_threads", "4"},
    {"slave_parallel_mode", "optimistic"},
    {"rpl_semi_sync_master_enabled", "0", kSet},
    {"rpl_semi_sync_slave_enabled", "0", kSet},
    {"rpl_semi_sync_master_wait_point", "AFTER_SYNC"},
    {"rpl_semi_sync_master_wait_no_slave", "1"},
    {"rpl_semi_sync_master_timeout", "18446744073709551615"},
    {"skip_name_resolve", "1"},
    {"character_set_server", "utf8mb4"},
    {"max_allowed_packet", "64M", kSet},
    {"max_connections", "1000"},
    {"extra_max_connections", "20"},
    {"innodb_log_file_size", "64M", kSet},
    {"session_track_state_change", "1"},
    {"session_track_transaction_info", "CHARACTERISTICS"},
    {"silent_startup", "1", kSet},
};

std::string owned_text() {
    std::string text;
    for (const OwnedSetting& setting : kOwned) {
        text += std::format("{} = {}\n", setting.name, setting.value);
    }
    return text;
}

// The server's name as SQL: it is bounded to letters, digits and ".", "_", "-" where the file is read.
std::string quoted_name(std::string_view name) {
    std::string text = "`";
    for (char c : name) {
        text += c == '`' ? "``" : std::string(1, c);
    }
    return text + "`";
}

std::string create_account(std::string_view user, std::string_view secret) {
    return std::format("CREATE USER {}@'%' IDENTIFIED BY '{}';\n", user, secret);
}

// As a list of networks that are one address each.
std::string hosts_of(const std::vector<net::Address>& addresses) {
    std::string text;
    for (const net::Address& address : addresses) {
        text += (text.empty() ? "" : ",") + address.host_string();
    }
    return text;
}

}  // namespace

uint16_t server_number_of(std::string_view server) {
    // FNV-1a
    uint32_t hash = 2166136261U;
    for (char c : server) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    }
    auto folded = static_cast<uint16_t>(hash ^ (hash >> 16));
    return folded == 0 ? uint16_t{1} : folded;
}

uint32_t server_id_of(std::string_view server, uint64_t epoch) {
    return (uint32_t{server_number_of(server)} << 16) | static_cast<uint32_t>(epoch & 0xffff);
}

std::string settings_file(const Place& place) { return place.directory + "/my.cnf"; }

std::string settings_word(const Place& place) { return "--defaults-file=" + settings_file(place); }

std::string settings_text(const Config& config, const Place& place, uint64_t epoch) {
    constexpr std::string_view kTracked =
        "autocommit,character_set_client,character_set_connection,character_set_results,time_zone,last_gtid,"
        "sql_mode,tx_isolation,tx_read_only";
    return std::format(
        "# Written by Trilith at each start of this mariadbd; what is changed here is lost.\n[mariadbd]\n"
        "datadir = {0}/data\ntmpdir = {0}/tmp\nsocket = ../socket\npid-file = {0}/pid\n"
        "bind-address = {1}\nport = {2}\nextra-port = {3}\nserver-id = {4}\nreport-host = {1}\n"
        "innodb-buffer-pool-size = {5}\nsession-track-system-variables = {6}\nproxy-protocol-networks = "
        "{7}\n{8}",
        place.directory,
        place.database.host_string(),
        place.database.port(),
        place.manager.port(),
        server_id_of(place.server, epoch),
        config.memory,
        kTracked,
        hosts_of(place.proxies),
        owned_text()
    );
}

std::string watched_settings_statement() {
    std::string text;
    for (const OwnedSetting& setting : kOwned) {
        if (setting.use == SettingUse::watched) {
            text += std::format(
                "{}@@global.{} AS {}",
                text.empty() ? "SELECT " : ", ",
                setting.name,
                setting.name
            );
        }
    }
    return text;
}

std::string settings_drift(const mariadb::QueryResult& answer) {
    std::string text;
    for (const OwnedSetting& setting : kOwned) {
        const std::string* value = answer.value(0, setting.name);
        if (setting.use == SettingUse::watched && value != nullptr && *value != setting.value) {
            text += std::format(
                "{}{} is {}, not {}",
                text.empty() ? "" : ", ",
                setting.name,
                *value,
                setting.value
            );
        }
    }
    return text;
}

std::string first_accounts(const Config& config, const Secrets& secrets) {
    std::string text =
        "FLUSH PRIVILEGES;\n"
        "CREATE DATABASE trilith;\n"
        "CREATE TABLE trilith.heartbeat (id INT UNSIGNED PRIMARY KEY, beat BIGINT UNSIGNED NOT NULL) "
        "ENGINE=InnoDB;\n"
        "CREATE TABLE trilith.epoch (id INT UNSIGNED PRIMARY KEY, epoch BIGINT UNSIGNED NOT NULL, server "
        "VARCHAR(64) NOT NULL, written_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE "
        "CURRENT_TIMESTAMP(6)) ENGINE=InnoDB;\n";
    text += std::format("CREATE DATABASE {} CHARACTER SET utf8mb4;\n", quoted_name(config.name));
    text += create_account(kManagerUser, secrets.manager);
    text += std::format(
        "GRANT REPLICATION SLAVE ADMIN, REPLICATION MASTER ADMIN, READ_ONLY ADMIN, CONNECTION ADMIN, REPLICA "
        "MONITOR, BINLOG MONITOR, SHUTDOWN, RELOAD, PROCESS ON *.* TO {0}@'%';\n"
        "GRANT SELECT, INSERT, UPDATE ON trilith.* TO {0}@'%';\n",
        kManagerUser
    );
    text += create_account(kReplicaUser, secrets.replica);
    text += std::format("GRANT REPLICATION SLAVE ON *.* TO {}@'%';\n", kReplicaUser);
    text += create_account(kRouterUser, secrets.router);
    text += std::format(
        "GRANT SELECT ON mysql.global_priv TO {0}@'%';\n"
        "GRANT REPLICA MONITOR, BINLOG MONITOR ON *.* TO {0}@'%';\n"
        "GRANT SELECT, INSERT, UPDATE ON trilith.heartbeat TO {0}@'%';\n",
        kRouterUser
    );
    text += create_account(kAppUser, secrets.app);
    text += std::format("GRANT ALL PRIVILEGES ON {}.* TO {}@'%';\n", quoted_name(config.name), kAppUser);
    // Who may write where read_only is set could make a replica another than the primary: nobody but us.
    text += create_account(kAdminUser, secrets.admin);
    text += std::format(
        "GRANT ALL PRIVILEGES ON *.* TO {0}@'%' WITH GRANT OPTION;\n"
        "REVOKE READ_ONLY ADMIN ON *.* FROM {0}@'%';\n"
        "REVOKE READ_ONLY ADMIN ON *.* FROM root@localhost;\n",
        kAdminUser
    );
    return text;
}

std::string owner_text(std::string_view site, std::string_view server) {
    return std::format("trilith-database 1\nsite {}\nserver {}\n", site, server);
}

}  // namespace cluster
