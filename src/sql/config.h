// What the SQL router is told: plain values, checked where the file is read.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/units.h"
#include "net/address.h"

namespace sql {

// One of the database servers.
struct NodeConfig {
    net::Address address{};
    std::string name{};     // what operators and logs call it: the server's name, or else the address
    uint32_t weight = 100;  // of reads, 0 to upstream::kWeightMax

    friend bool operator==(const NodeConfig&, const NodeConfig&) = default;
};

// Where reads go that are free to go anywhere.
enum class Reads : uint8_t {
    replicas,  // a fit replica; the primary where there is none
    all,       // the fit replicas and the primary in turn
    primary,   // the primary alone
};

// The account by which the router itself watches the nodes and reads the list of accounts.
struct AccountConfig {
    std::string user;
    std::string password_file;  // absolute; empty: no password

    friend bool operator==(const AccountConfig&, const AccountConfig&) = default;
};

struct LimitConfig {
    uint32_t clients = 10'000;         // at a time, all cores together; one more is refused with error 1040
    uint32_t clients_per_address = 0;  // 0: no bound of its own
    uint32_t failed_logins = 20;   // of one address and core within a minute; then error 1129 for the rest of
                                   // it
    uint64_t packet = 1ULL << 30;  // bytes of one command; max_allowed_packet's own maximum

    friend bool operator==(const LimitConfig&, const LimitConfig&) = default;
};

// Of the connections to the servers, which sessions share.
struct PoolConfig {
    uint32_t connections = 100;  // to each node, all cores together
    uint32_t queue = 1000;       // sessions that wait for one, all cores and nodes together
    core::Duration queue_timeout = std::chrono::seconds(10);  // how long one waits; then error 1040
    core::Duration idle = std::chrono::seconds(60);           // unused for so long, one is closed
    uint32_t prepared = 50;  // statements that one connection keeps prepared for whoever executes them
    uint32_t warm = 0;       // to each node: so many of those that were used are kept although idle

    friend bool operator==(const PoolConfig&, const PoolConfig&) = default;
};

struct TimeoutConfig {
    core::Duration login = std::chrono::seconds(10);   // a client's, from connect to its last answer
    core::Duration connect = std::chrono::seconds(5);  // to a node, with the login there
    core::Duration idle = std::chrono::hours(8);       // between two commands (MariaDB's wait_timeout)
    core::Duration body = std::chrono::seconds(60);    // between two pieces that a peer takes or owes
                                                       // (net_read_timeout)
    core::Duration drain = std::chrono::seconds(30);   // at the end, for transactions that run

    friend bool operator==(const TimeoutConfig&, const TimeoutConfig&) = default;
};

// [database]
struct Config {
    std::vector<net::Address> listen;  // at least one; TCP and unix sockets
    std::string name;                  // the schema that the site's program uses; may be empty
    std::vector<NodeConfig> nodes;     // at least one
    AccountConfig account;
    // Of databases that are kept here: what the router's connections to them come from. The servers believe
    // it when it tells them the client's address (PROXY protocol). Nothing: they see the router's.
    std::optional<net::Address> proxies_from;
    Reads reads = Reads::replicas;
    core::Duration max_lag = std::chrono::seconds(5);                // a replica further behind gets no reads
    core::Duration own_writes_wait = std::chrono::milliseconds(50);  // for a replica to have them; then the
                                                                     // primary
    core::Duration hold = std::chrono::seconds(10);  // how long statements wait for a primary while there is
                                                     // none
    LimitConfig limits;
    PoolConfig pool;
    TimeoutConfig timeouts;

    friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace sql
