#include "cluster/settings.h"

#include <format>

namespace cluster {

namespace {

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
    constexpr std::string_view kOwned = R"(log-bin = binlog
log-slave-updates = 1
binlog-format = ROW
binlog-row-image = FULL
binlog-expire-logs-seconds = 604800
sync-binlog = 1
innodb-flush-log-at-trx-commit = 3
gtid-strict-mode = 1
read-only = 1
skip-slave-start = 1
relay-log = relay
sync-relay-log = 1
slave-net-timeout = 4
slave-parallel-threads = 4
slave-parallel-mode = optimistic
rpl-semi-sync-master-enabled = 0
rpl-semi-sync-slave-enabled = 0
rpl-semi-sync-master-wait-point = AFTER_SYNC
rpl-semi-sync-master-wait-no-slave = 1
rpl-semi-sync-master-timeout = 18446744073709551615
skip-name-resolve = 1
character-set-server = utf8mb4
max-allowed-packet = 64M
max-connections = 1000
extra-max-connections = 20
innodb-log-file-size = 64M
session-track-state-change = ON
session-track-transaction-info = CHARACTERISTICS
silent-startup = 1
)";
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
        kOwned
    );
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
