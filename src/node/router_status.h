// The SQL router's state at one moment, as plain values: what /metrics exports of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/units.h"
#include "sql/counters.h"

namespace node {

struct RouterNodeStatus {
    std::string address;
    std::string state;  // primary, replica, unreachable …
    bool is_fit = false;
    std::optional<core::Duration> lag;
    int64_t connections = 0;
    uint64_t connections_total = 0;
    uint64_t connections_failed_total = 0;
    uint64_t statements_total = 0;
    uint64_t bytes_in_total = 0;
    uint64_t bytes_out_total = 0;
};

// Sums over all cores.
struct RouterStatus {
    int64_t clients = 0;
    uint32_t clients_max = 0;
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
    std::vector<RouterNodeStatus> nodes;
};

}  // namespace node
