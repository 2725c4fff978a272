// What the configuration says of a pool: its backends, how requests are spread over them, how their health is
// checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/units.h"
#include "net/address.h"

namespace upstream {

using namespace std::chrono_literals;

inline constexpr uint32_t kWeightMax = 256;
inline constexpr uint32_t kWeightDefault = 100;

struct BackendConfig {
    std::string name;  // unique in its pool; the address as written where none is given
    net::Address address;
    uint32_t weight = kWeightDefault;  // 0 to 256; 0 takes no new work
    bool is_backup = false;            // serves only when no other backend is up

    friend bool operator==(const BackendConfig&, const BackendConfig&) = default;
};

struct HealthConfig {
    std::optional<std::string> path;  // GET this; any 2xx or 3xx is healthy. Without it: a TCP connect
    core::Duration interval = 2s;     // from the end of one check to the start of the next; 100ms to 1h
    core::Duration timeout = 1s;      // of one whole check; 10ms to 1m
    uint32_t fall = 3;                // failed checks in a row that take a backend down; 1 to 100
    uint32_t rise = 2;                // good checks in a row that bring it up; 1 to 100
    core::Duration slow_start = 0s;   // after a recovery the weight grows from a tenth to its full value over
                                      // this time; 0s to 1h

    friend bool operator==(const HealthConfig&, const HealthConfig&) = default;
};

enum class Algorithm : uint8_t { round_robin };
enum class Mode : uint8_t { active_active, active_passive };

struct PoolConfig {
    std::string name;
    std::vector<BackendConfig> backends;  // in the order written, which active-passive follows; 1 to 10000
    Algorithm algorithm = Algorithm::round_robin;
    Mode mode = Mode::active_active;
    bool has_failback = true;  // active-passive: return to the earlier backend when it is up again
    HealthConfig health;
    uint32_t connections_max = 1000;  // requests that run on a backend, all cores together; 1 to 1000000
    uint32_t queue_max = 1000;  // requests that wait for a connection of a backend of this pool, all cores
                                // together; 0 to 1000000
    core::Duration queue_timeout = 5s;  // then 503; 1ms to 10m
    core::Duration idle_timeout = 50s;  // a pooled connection that nobody used for so long is closed; 1s to
                                        // 1h
    // Derived, not written.
    bool keeps_listening = false;  // a backend's socket stays open while its program is started again: what
                                   // failed on all of them may try them once more
    std::optional<net::Address> source{};  // where connections to the backends come from; port 0; none: the
                                           // system's choice

    friend bool operator==(const PoolConfig&, const PoolConfig&) = default;
};

}  // namespace upstream
