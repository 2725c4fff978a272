// A server's state at one moment, as plain values: what `status` shows and what /metrics exports. Filled in
// by Node::status().
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "balancer/counters.h"
#include "core/metrics.h"
#include "core/units.h"
#include "node/status/override_status.h"
#include "node/status/router_status.h"

namespace node {

// By the first digit of a status: how they are called in JSON.
inline constexpr std::array<const char*, 6> kResponseClasses{"", "1xx", "2xx", "3xx", "4xx", "5xx"};
inline constexpr double kNanosecondsPerSecond = 1e9;

// Sums over all cores.
struct HistogramStatus {
    std::array<uint64_t, core::Histogram::kBounds.size() + 1> buckets{};  // not cumulated; the last is above
                                                                          // all bounds
    uint64_t count = 0;
    uint64_t sum_nanoseconds = 0;
};

struct BackendStatus {
    std::string name;
    std::string address;
    std::string state;    // up, down, checking, draining, drained, disabled
    std::string reason;   // why it is in this state
    uint32_t weight = 0;  // in force: configured or overridden
    uint32_t configured_weight = 0;
    double effective_weight = 0;  // after slow start
    bool is_backup = false;
    bool is_in_rotation = false;  // gets new requests now
    OverrideStatus override;
    int64_t in_flight = 0;
    int64_t connections_idle = 0;
    uint64_t requests_total = 0;
    uint64_t connections_total = 0;
    uint64_t connect_failures_total = 0;
    uint64_t failures_total = 0;
    uint64_t retries_away_total = 0;
    uint64_t bytes_in_total = 0;
    uint64_t bytes_out_total = 0;
    std::array<uint64_t, 6> responses{};  // by class of status; index 0 is not used
    HistogramStatus response_time;
    uint64_t checks_total = 0;
    uint64_t checks_failed_total = 0;
    uint64_t downs_total = 0;
    core::Duration since_change{};
    core::Duration check_interval{};
};

struct PoolStatus {
    std::string name;
    std::string tier;       // of the front that sends to it: balancer, web or app
    std::string mode;       // "active-active" or "active-passive"
    std::string algorithm;  // "round-robin"
    int64_t queued = 0;
    uint32_t queue_max = 0;
    uint32_t connections_max = 0;
    std::vector<BackendStatus> backends;
};

// One instance of the site's program.
struct InstanceStatus {
    std::string name;
    int64_t pid = 0;    // 0: it does not run
    std::string state;  // starting, up, waiting, stopping, ended
    core::Duration since_change{};
    uint64_t restarts_total = 0;  // after crashes, of this generation
    uint64_t generation = 1;      // grows with each rolling restart
    uint64_t memory_bytes = 0;    // resident, of all its processes
    std::string address;
    std::string last_end;  // how its last run ended; empty: none has
};

// The order to restart the program that was given last.
struct RestartStatus {
    uint64_t number = 0;  // 0: none was given
    bool is_running = false;
    std::vector<std::string> sentences;  // one an instance, when it is done
    std::string error;                   // not empty: it failed
};

struct AppStatus {
    std::vector<InstanceStatus> instances;
    RestartStatus restart;
};

// The mariadbd of this server.
struct DatabaseAgentStatus {
    std::string state;   // preparing, running, waiting, blocked, stopped
    std::string reason;  // why
    int64_t pid = 0;     // 0: it does not run
    uint64_t starts_total = 0;
    uint64_t free_bytes = 0;  // where its data are
};

// One server of the database cluster, as the leader sees it.
struct DatabaseServerStatus {
    std::string server{};
    std::string standing{};  // primary, acker, bystander, former, diverged
    bool answers = false;
    bool is_read_only = true;
    bool acknowledges = false;  // the primary's writes
    bool is_armed = false;      // waits for acknowledgements
    std::string written{};      // GTID positions
    std::string received{};
    std::string applied{};
    std::string reason{};              // why it does not answer, or its replication's error
    std::string drift{};               // settings of ours that were changed while it runs
    std::string extra{};               // transactions that it has and the primary has not
    std::vector<std::string> aside{};  // the files in which these are
};

// The order about the databases that was given last.
struct DatabaseOrderStatus {
    uint64_t number = 0;  // 0: none was given
    std::string verb{};   // switchover, failover, rejoin
    bool is_running = false;
    std::string sentence{};  // how it ended well
    std::string error{};     // not empty: it was not done
};

// By what `trilith sql` logs in.
struct DatabaseClientStatus {
    std::string user{};
    std::string password_file{};
    std::string schema{};
    std::vector<std::pair<std::string, std::string>> addresses{};  // of each server's mariadbd
};

// The database cluster that is kept by this site.
struct DatabaseStatus {
    std::optional<DatabaseAgentStatus> agent;  // where this server has the role
    uint64_t epoch = 0;                        // 0: nobody has been primary
    std::string primary;
    std::string gate;         // open or held
    std::string durability;   // lossless or async
    bool leads = false;       // this server decides; the rest is known to it alone
    std::string sentence;     // what is done or awaited
    std::string no_failover;  // why the primary would not be replaced now; empty: it would
    std::vector<DatabaseServerStatus> servers;
    core::Duration write_took{};  // of a row, at the primary
    DatabaseOrderStatus order;
    DatabaseClientStatus client;
};

// What is counted of clients, all cores together.
struct ClientStatus {
    int64_t connections = 0;
    uint32_t connections_max = 0;
    uint64_t connections_total = 0;
    uint64_t connections_refused_total = 0;
    int64_t requests_active = 0;
    uint64_t requests_total = 0;
    std::array<uint64_t, 6> responses{};
    std::array<uint64_t, balancer::kEndedCount> ended{};  // by balancer::Ended
    uint64_t bytes_in_total = 0;
    uint64_t bytes_out_total = 0;
    uint64_t retries_total = 0;
    uint64_t retries_denied_total = 0;
    HistogramStatus request_time;
    HistogramStatus queue_time;
};

struct FrontStatus : ClientStatus {
    std::string tier;  // balancer, web or app; each once
};

// Lines of a server's own log that are nowhere now.
struct LogLosses {
    uint64_t file_lines_total = 0;            // that the log files could not take: a full or slow disk
    uint64_t standard_error_lines_total = 0;  // that nobody read
};

// A server as the site's file has it, whether it runs or not.
struct PlannedServer {
    std::string server{};
    std::string address{};
    std::vector<std::string> roles{};  // as they are written in the file, in the order of the tiers
    bool is_local = true;              // its address is of the machine of whoever says this

    [[nodiscard]] bool has(std::string_view role) const {
        return std::ranges::find(roles, role) != roles.end();
    }
};

// Its counts of clients are the sums of its fronts.
struct ServerStatus : ClientStatus {
    std::string site;
    std::string server;
    std::string version;
    std::string config_file;
    int64_t pid = 0;
    core::WallTime started_at{};
    core::Duration uptime{};
    uint64_t reloads_total = 0;
    bool is_draining = false;
    uint32_t threads = 0;
    std::vector<std::string> listeners;
    std::vector<PlannedServer> whiteboard;  // every server of the site, in the order of the file
    uint64_t log_lines_dropped_total = 0;  // of access logs
    LogLosses log_losses;
    std::vector<FrontStatus> fronts;
    std::vector<PoolStatus> pools;
    std::optional<AppStatus> app;            // where this server runs the site's program
    std::optional<RouterStatus> router;      // where this server has a SQL router
    std::optional<DatabaseStatus> database;  // where the site keeps its databases
};

}  // namespace node
