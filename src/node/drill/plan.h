// Which drills a site has, whom each one meets, and when what it broke is whole again. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "node/status/site_health.h"

namespace node {

enum class DrillKind : uint8_t { server, primary, freeze_primary, replica, app, reload, weights, drain };

struct DrillEntry {
    std::string name;  // as it is called: "web1", "primary"
    DrillKind kind = DrillKind::server;
    std::string server;  // kind server: which
    std::string does;    // "kill -9 of the server web1 (web, app, database)"
    std::string single;  // why `all` leaves it out: what it breaks is the only one; empty: it does not
    std::vector<std::string> among{};  // kinds weights and drain: servers that others can stand in for
};

// What servers are told to do, by `up` or not; no process ends or stops.
[[nodiscard]] constexpr bool is_order(DrillKind kind) {
    return kind == DrillKind::reload || kind == DrillKind::weights || kind == DrillKind::drain;
}

// In the order in which `all` does them. Servers are those that `up` runs, or all of the file where it is not
// known.
[[nodiscard]] std::vector<DrillEntry> drills_of(const Config& config, const SiteView& view);

// What a drill does its deed to.
struct DrillTarget {
    DrillKind kind = DrillKind::server;
    std::string server;
    int64_t pid = 0;   // of the process; 0: none, it is an order
    std::string what;  // "web1's instance app-1 (pid 4711)"
};

// not_found: there is none of that kind now.
[[nodiscard]] core::Result<DrillTarget> choose_target(const DrillEntry& entry, const SiteView& view);

// Whether another process has taken the place of the one that was met, or it goes on again.
[[nodiscard]] bool is_replaced(const DrillTarget& target, const SiteView& view);

}  // namespace node
