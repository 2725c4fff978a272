// What one core counts of its sessions and statements; summed over the cores when somebody asks.
#pragma once

#include <array>
#include <vector>

#include "core/metrics.h"
#include "sql/statement_class.h"

namespace sql {

inline constexpr size_t kVerbCount = static_cast<size_t>(Verb::compound) + 1;

// Of one database server.
struct NodeCounters {
    core::Gauge connections;
    core::Gauge idle;     // of them: nobody runs a statement there, or has a transaction or a pin
    core::Gauge waiting;  // sessions that wait for one
    core::Counter waited;
    core::Counter waited_in_vain;  // until queue_timeout
    core::Counter connections_total;
    core::Counter connections_failed;
    core::Counter statements;  // of clients; not the router's own questions
    core::Counter prepared;    // PREPAREs of the router's own, for an execution on another connection
    core::Counter bytes_in;    // from the server
    core::Counter bytes_out;   // to the server
};

struct alignas(64) CoreCounters {
    explicit CoreCounters(size_t node_count) : nodes(node_count) {}

    core::Gauge clients;
    core::Counter clients_total;
    core::Counter clients_refused;  // over a bound
    core::Counter clients_lost;     // they left without COM_QUIT, or were cut
    core::Counter logins_failed;
    core::Counter questions;  // commands of clients
    std::array<core::Counter, kVerbCount> verbs;
    core::Counter reads_on_replicas;
    core::Counter reads_on_primary;       // that were free to go to a replica
    core::Counter own_writes_covered;     // reads on a replica that had the session's writes already
    core::Counter own_writes_waited;      // and those that had to wait for it
    core::Counter own_writes_to_primary;  // and those for which it took too long
    core::Counter repeated;               // reads that ran again because a server was lost
    core::Counter held;                   // statements that waited for a primary
    core::Counter held_in_vain;
    std::array<core::Counter, kPinCount> pinned;    // statements that pinned their session, by reason
    std::array<core::Gauge, kPinCount> pinned_now;  // sessions
    core::Gauge pinned_by_prepared_now;             // sessions with binary prepared statements
    std::vector<NodeCounters> nodes;
};

}  // namespace sql
