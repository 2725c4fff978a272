// Who is primary and which replicas may serve reads, decided from what was seen of all nodes. No clock, no
// I/O.
//
//   writable, no replica, the only such node    primary
//   two of them                                 no primary: neither is trusted
//   replica of the primary, or of one that is gone, also by way of other nodes   replica
//   what answers and is neither                 unfit
//   `fall` looks in a row failed, or one was refused                             unreachable
//
// A replica is fit while its applier runs, and, as long as there is a primary, its receiver is not stopped
// and its lag at most max_lag. Fitness that was lost comes back after `rise` looks in a row. Without a
// primary a replica stays as fit as its lag was last: what it has is then the newest there is.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/units.h"
#include "mysql/gtid.h"
#include "net/address.h"
#include "sql/lag_meter.h"
#include "sql/routing.h"

namespace sql {

// A thread of replication.
enum class ThreadState : uint8_t { running, connecting, stopped };

// One replication connection of a node, a row of SHOW ALL SLAVES STATUS.
struct ReplicationSource {
    std::string address{};                        // "host:port", as CHANGE MASTER has it
    uint32_t server_id = 0;                       // 0: not known, it never got through
    ThreadState receiver = ThreadState::stopped;  // Slave_IO_Running
    ThreadState applier = ThreadState::stopped;   // Slave_SQL_Running
    std::optional<core::Duration> behind{};       // Seconds_Behind_Master; nothing for NULL
    std::string error{};                          // the last one of either thread
};

// What a node says of itself.
struct NodeSight {
    std::string version{};
    uint32_t server_id = 0;
    core::Duration uptime{};
    bool is_read_only = false;
    std::vector<ReplicationSource> sources{};
    // @@gtid_slave_pos and @@gtid_binlog_pos; nothing where they are malformed or over the bound of domains.
    std::optional<mysql::GtidPosition> applied{};
    std::optional<mysql::GtidPosition> written{};
    // The beat in the router's table, and its age, where it is one of our own.
    std::optional<uint64_t> beat{};
    std::optional<core::Duration> beat_age{};
};

struct LookFailure {
    core::ErrorKind kind = core::ErrorKind::io;  // `refused`: nobody listens there, which counts at once
    std::string sentence{};
};

using Look = std::expected<NodeSight, LookFailure>;

struct TopologyConfig {
    struct Member {
        net::Address address{};
        std::string name{};
        uint32_t weight = 100;
        // Of one that is not known from before a reload.
        NodeOverride override{};
        uint32_t generation = 0;
    };

    std::vector<Member> members{};
    uint32_t fall = 2;
    uint32_t rise = 2;
    core::Duration max_lag = std::chrono::seconds(5);
    bool is_appointed = false;  // the primary is named by appoint(), not found out
};

enum class ChangeKind : uint8_t { better, worse };

// For the log: "primary is 10.0.0.5:3306 (server id 1)".
struct TopologyChange {
    ChangeKind kind = ChangeKind::better;
    std::string sentence{};
};

class Topology {
public:
    explicit Topology(const TopologyConfig& config);
    // After a reload: a node of the same address keeps what is known of it.
    Topology(const TopologyConfig& config, const Topology& before);

    // A look at the node of this place ended at `now`, which must not go backwards. Returns what has changed,
    // in one sentence each.
    [[nodiscard]] std::vector<TopologyChange> on_look(size_t place, const Look& look, core::Instant now);

    // Whoever keeps these servers says who is primary: this one, or nobody, and why. It is used as soon as it
    // is seen to take writes; another that takes writes is not.
    [[nodiscard]] std::vector<TopologyChange> appoint(
        const std::optional<net::Address>& primary,
        std::string why_none,
        core::Instant now
    );

    // Between looks a node told how much it has applied. No verdict follows from it.
    void on_applied(size_t place, const mysql::GtidPosition& applied);

    // In place of the one before. An empty one is none.
    void set_override(size_t place, const NodeOverride& override);
    // Grows with each change of a node's share.
    [[nodiscard]] uint64_t shares() const { return shares_; }

    // As of the last look.
    [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
    [[nodiscard]] std::optional<size_t> primary() const { return primary_; }
    [[nodiscard]] const std::string& primary_why() const { return primary_why_; }

private:
    struct Record {
        std::optional<NodeSight> sight{};  // the last one
        std::string failure{};             // of the last look
        uint32_t failures = 0;             // in a row
        bool is_given_up = false;
        bool was_asked = false;
        bool is_lag_good = true;  // of the last look under a primary
        uint32_t good_looks = 0;  // in a row, towards `rise`
        bool was_unfit = false;   // `rise` looks are due
    };

    [[nodiscard]] bool is_seen(size_t place) const;
    [[nodiscard]] bool is_writable(size_t place) const;
    void take_look(size_t place, const Look& look);
    void choose_primary(core::Instant now);
    [[nodiscard]] std::optional<size_t> found_primary() const;
    [[nodiscard]] std::string why_not_appointed() const;
    [[nodiscard]] std::string why_no_primary() const;
    void judge(size_t place, core::Instant now);
    void judge_replica(size_t place, Node& node, core::Instant now);
    [[nodiscard]] std::string why_not_fit(size_t place, const ReplicationSource& source);
    [[nodiscard]] std::optional<core::Duration> lag_of(
        size_t place,
        const ReplicationSource& source,
        core::Instant now
    ) const;
    [[nodiscard]] std::optional<size_t> place_of(const ReplicationSource& source) const;
    [[nodiscard]] const ReplicationSource* leading_source(size_t place) const;
    [[nodiscard]] bool leads_to_primary(const ReplicationSource& source) const;
    [[nodiscard]] std::vector<TopologyChange> changes(
        const std::vector<Node>& before,
        std::optional<size_t> primary_before,
        const std::string& why_before
    ) const;

    TopologyConfig config_;
    std::vector<Record> records_;
    std::vector<Node> nodes_;
    std::optional<size_t> primary_;
    uint64_t shares_ = 0;
    std::string primary_why_;
    std::optional<net::Address> appointed_;
    std::string appointed_why_ = "no primary has been named yet";  // where nobody is
    std::string gone_primary_;  // the name of the last one, once it is none any more
    LagMeter meter_;
};

}  // namespace sql
