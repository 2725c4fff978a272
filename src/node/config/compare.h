// What a reload changes: the differences between two configurations in words that their author knows.
#pragma once

#include <string>
#include <vector>

#include "node/config/config.h"

namespace node {

struct ConfigChange {
    std::string key;   // "pools.origin.backends.b2.weight", "routes", "balancer.listen"
    std::string from;  // empty: was not there
    std::string to;    // empty: is gone
    bool needs_restart = false;

    // "pools.origin.backends.b2.weight: 50 → 200", "balancer.listen: added http://127.0.0.1:8102", "…:
    // removed …".
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const ConfigChange&, const ConfigChange&) = default;
};

// The changes from `before` to `after` in the order of the file's sections; empty when they are equal. A
// restart is needed for: site, a server added, removed or changed but for its weight, threads and
// limits.connections of [balancer] and [web], web.port, all of [app], engine, listen and name of [database]
// and how databases are kept, admin.listen. All else is applied while running.
[[nodiscard]] std::vector<ConfigChange> compare(const Config& before, const Config& after);

}  // namespace node
