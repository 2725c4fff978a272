// What the configuration says of the load balancer, checked and frozen. Every field's comment states unit,
// range and effect.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/units.h"
#include "net/address.h"
#include "upstream/config.h"

namespace balancer {

using namespace std::chrono_literals;

// [balancer.timeouts]; each 1ms to 24h.
struct TimeoutConfig {
    core::Duration connect = 3s;        // to a backend, until the connection is established
    core::Duration request_head = 10s;  // from a request's first byte to the end of its header section, then
                                        // 408
    core::Duration idle = 60s;          // a client connection between two requests, then it is closed
    core::Duration body = 30s;          // between two pieces of a body, in either direction
    core::Duration first_byte = 60s;    // from the request sent to the response's head, then 504
    core::Duration response = 1h;       // from the request sent to the response's last byte
    core::Duration tunnel = 1h;         // an upgraded connection on which nothing moves
    core::Duration drain = 30s;         // SIGTERM: how long running requests may take before they are cut

    friend bool operator==(const TimeoutConfig&, const TimeoutConfig&) = default;
};

// [balancer.limits]
struct LimitConfig {
    uint32_t request_head = 16 << 10;   // bytes of a request's line and header section, then 431; 1KiB to
                                        // 48KiB
    uint32_t uri = 8 << 10;             // bytes of a request target, then 414; 64B to request_head
    uint32_t headers = 100;             // header fields of a request or response, then 431 or 502; 8 to 1000
    uint64_t body = 1ULL << 30;         // bytes of a request body, then 413; "0": no bound
    uint32_t response_head = 32 << 10;  // bytes of a response's header section, then 502; 1KiB to 48KiB
    uint32_t connections = 20000;       // client connections of this process; 1 to 1000000
    uint32_t connections_per_client = 0;  // client connections of one address; 0: no bound of its own
    uint32_t retries = 2;                 // further attempts a request, 0 to 10
    uint32_t retry_budget_percent = 20;   // retries, of all requests of the last seconds; at least a few a
                                          // second are allowed; 0 to 100

    friend bool operator==(const LimitConfig&, const LimitConfig&) = default;
};

// [balancer.access_log]
struct AccessLogConfig {
    bool is_enabled = false;
    std::string file;  // empty: standard output
    // Where the lines go besides; no keys of their own.
    bool is_printed = true;  // false: to no file and not to standard output
    bool is_kept = false;    // with the server's other log files

    friend bool operator==(const AccessLogConfig&, const AccessLogConfig&) = default;
};

inline constexpr size_t kNoTarget = SIZE_MAX;

struct RouteConfig {
    std::string host;  // lower case; "" any, "*.foobar.com" any subdomain, else exact
    std::string path;  // "" any, "/v1/*" a prefix (stored with the star), "/exact", or "raw": any path, sent
                       // untouched
    size_t pool = 0;   // index into Config::pools; kNoTarget: none
    // Index into Publication::handlers of what is asked first, in this process; what it passes on goes to the
    // pool, or is answered 404 where there is none. kNoTarget: none
    size_t handler = kNoTarget;

    friend bool operator==(const RouteConfig&, const RouteConfig&) = default;
};

struct Config {
    std::vector<net::Address> listen;  // at least one; each was written http://ADDRESS:PORT
    uint32_t threads = 0;              // cores that serve; 0: one for each processor
    TimeoutConfig timeouts;
    LimitConfig limits;
    AccessLogConfig access_log;
    std::vector<std::string> trusted_proxies;  // addresses or ADDRESS/BITS whose forwarded headers are
                                               // believed
    std::vector<upstream::PoolConfig> pools;
    std::vector<RouteConfig> routes;  // first match in this order wins

    friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace balancer
