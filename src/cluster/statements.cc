#include "cluster/statements.h"

#include <format>

#include "cluster/settings.h"

namespace cluster {

std::string promote_statements(bool is_armed) {
    return std::format(
        "STOP SLAVE;RESET SLAVE ALL;SET GLOBAL rpl_semi_sync_slave_enabled = 0;"
        "SET GLOBAL rpl_semi_sync_master_enabled = {}",
        is_armed ? 1 : 0
    );
}

std::string follow_statements(
    const net::Address& source,
    std::string_view secret,
    Acknowledging acknowledging
) {
    // RESET SLAVE ALL: the files of a replication that was killed while it wrote them are refused by all else
    // (error 1201). A server that was primary has its position in its binlog alone; for a replica both are
    // the same.
    return std::format(
        "STOP SLAVE;RESET SLAVE ALL;SET GLOBAL rpl_semi_sync_master_enabled = 0;SET GLOBAL read_only = 1;"
        "SET GLOBAL rpl_semi_sync_slave_enabled = {};SET GLOBAL sync_relay_log = {};"
        "SET GLOBAL gtid_slave_pos = IF(@@global.gtid_binlog_pos <> '', @@global.gtid_binlog_pos, "
        "@@global.gtid_slave_pos);"
        "CHANGE MASTER TO MASTER_HOST = '{}', MASTER_PORT = {}, MASTER_USER = '{}', MASTER_PASSWORD = '{}', "
        "MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 1, MASTER_USE_GTID = slave_pos;START SLAVE",
        acknowledging == Acknowledging::yes ? 1 : 0,
        // What is not acknowledged need not be on the disk, and is received several times as fast.
        acknowledging == Acknowledging::yes ? 1 : 10'000,
        source.host_string(),
        source.port(),
        kReplicaUser,
        secret
    );
}

uint32_t nudge_row(uint64_t count) {
    constexpr uint64_t kNudgeRows = 1000;
    return kProbeRow + 1 + static_cast<uint32_t>(count % kNudgeRows);
}

std::string write_statements(uint32_t row, uint64_t epoch, std::string_view server) {
    return std::format(
        "INSERT INTO trilith.epoch (id, epoch, server) VALUES ({0}, {1}, '{2}') ON DUPLICATE KEY UPDATE "
        "epoch = {1}, server = '{2}', written_at = CURRENT_TIMESTAMP(6)",
        row,
        epoch,
        server
    );
}

std::string await_position_statement(std::string_view position, unsigned seconds) {
    return std::format("SELECT MASTER_GTID_WAIT('{}', {}) AS outcome", position, seconds);
}

}  // namespace cluster
