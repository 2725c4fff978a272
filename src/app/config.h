// What the configuration says of the site's own program, [app]: how it is run, in how many instances, within
// which limits.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/units.h"
#include "upstream/config.h"

namespace app {

using namespace std::chrono_literals;

inline constexpr uint32_t kInstancesMax = 64;

// How requests reach the program.
enum class Listen : uint8_t {
    unix_socket,  // we listen on a unix socket and hand it down as descriptor 3 (LISTEN_FDS=1)
    tcp,          // the same with a TCP socket on a free port of the server's address
    port,         // for a program that only knows a port: PORT names a free one, and it listens there itself
};

struct HealthCheck {
    std::string path = "/healthz";  // GET this: any 2xx or 3xx is healthy
    core::Duration within = 10s;    // a started instance is healthy after so long, or it has failed; 100ms to
                                    // 1h
    core::Duration restart_after = 0s;  // an instance that was healthy and has passed no check for so long
                                        // hangs: it is ended and started again; 0s: never, else 1s to 1h
    upstream::HealthConfig running;     // the checks of the pool afterwards; its path is ours

    friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};

struct LimitConfig {
    uint64_t memory = 0;      // bytes of one instance, all its processes together; 0: no limit, else 16MiB to
                              // 16TiB
    uint32_t open_files = 0;  // descriptors of one process; 0: 65536 or the hard limit if that is lower, else
                              // 16 to 1048576
    uint32_t processes = 0;   // processes and threads of one instance; without a cgroup the system counts all
                              // of the user's; 0: no limit, else 1 to 4194304

    friend bool operator==(const LimitConfig&, const LimitConfig&) = default;
};

struct StopConfig {
    int signal = SIGTERM;         // asks the program to end: TERM, INT, QUIT, HUP, USR1 or USR2
    core::Duration within = 10s;  // then it and all that it started is killed; 0s to 1h

    friend bool operator==(const StopConfig&, const StopConfig&) = default;
};

struct RestartConfig {
    core::Duration first_pause = 250ms;  // before a crashed instance is started again; doubles with each
                                         // crash in a row; 10ms to 1m
    core::Duration longest_pause = 30s;  // 10ms to 1h
    core::Duration settled = 30s;        // up for so long: the next crash counts as the first one; 1s to 1h

    friend bool operator==(const RestartConfig&, const RestartConfig&) = default;
};

struct Config {
    std::vector<std::string> command;  // the program and its arguments, no shell; at least one word
    uint32_t instances = 0;            // 0: one a processor; 1 to 64
    std::vector<std::pair<std::string, std::string>> env;  // over what is inherited, in the order written
    Listen listen = Listen::unix_socket;
    std::string directory;  // where it runs; empty: where the configuration file is
    HealthCheck health;
    LimitConfig limits;
    StopConfig stop;
    RestartConfig restart;
    std::string user;  // whom it runs as; empty: as the server itself

    friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace app
