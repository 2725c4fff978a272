// The SQL router's state at one moment, as plain values: what /metrics exports of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.h"
#include "node/status/override_status.h"
#include "sql/counters.h"

namespace node {

struct RouterNodeStatus {
    std::string name{};  // its server's, or else the address
    std::string address{};
    std::string state{};   // primary, replica, unreachable …
    std::string reason{};  // why it is in this state, or not fit; empty for a fit node
    bool is_fit = false;
    bool is_in_rotation = false;  // reads are spread over it now
    uint32_t weight = 0;          // of reads, in force: configured or overridden
    uint32_t configured_weight = 0;
    OverrideStatus override{};
    std::optional<core::Duration> lag{};
    int64_t connections = 0;
    int64_t connections_idle = 0;  // of them: any session may take one
    int64_t waiting = 0;           // sessions that wait for one
    uint64_t waited_total = 0;
    uint64_t waited_in_vain_total = 0;
    uint64_t connections_total = 0;
    uint64_t connections_failed_total = 0;
    uint64_t statements_total = 0;
    uint64_t prepared_total = 0;
    uint64_t bytes_in_total = 0;
    uint64_t bytes_out_total = 0;

    // Statements that run there, and those that will when they have a connection.
    [[nodiscard]] int64_t running() const { return connections - connections_idle + waiting; }
};

// Sums over all cores.
struct RouterStatus {
    int64_t clients = 0;
    uint32_t clients_max = 0;
    uint32_t connections_max = 0;  // to each node
    uint32_t queue_max = 0;        // sessions that wait for a connection
    uint64_t clients_total = 0;
    uint64_t clients_refused_total = 0;
    uint64_t clients_lost_total = 0;
    uint64_t logins_failed_total = 0;
    uint64_t questions_total = 0;
    std::array<uint64_t, sql::kVerbCount> verbs{};
    uint64_t reads_on_replicas_total = 0;
    uint64_t reads_on_primary_total = 0;
    uint64_t own_writes_covered_total = 0;
    uint64_t own_writes_waited_total = 0;
    uint64_t own_writes_to_primary_total = 0;
    uint64_t repeated_total = 0;
    uint64_t held_total = 0;
    uint64_t held_in_vain_total = 0;
    std::array<uint64_t, sql::kPinCount> pinned{};
    std::array<int64_t, sql::kPinCount> pinned_now{};  // sessions, by reason
    int64_t pinned_by_prepared_now = 0;                // with binary prepared statements
    std::vector<RouterNodeStatus> nodes;
};

struct PinnedSessions {
    std::string_view reason;  // a pin's name, or "prepared_statement"
    int64_t sessions = 0;
};

// By reason, all of them.
[[nodiscard]] std::vector<PinnedSessions> pinned_sessions(const RouterStatus& router);

}  // namespace node
