// KILL of another session of the router, by the id of its greeting: found on its core, and what it runs is
// ended at the server that runs it.
#pragma once

#include <cstdint>

#include "runtime/task.h"
#include "sql/server_link.h"

namespace sql {

class Worker;

// What KILL may name as a session of the router: below, it is an id of a server's own, as its SHOW
// PROCESSLIST tells it.
inline constexpr uint64_t kFirstSessionId = uint64_t{1} << 31;

struct KillOrder {
    uint32_t id = 0;
    bool ends_session = false;  // KILL CONNECTION, and KILL alone; else the statement that runs, if any
    bool is_soft = false;
};

// As `killer`, whose rights the server judges that runs the statement; of a session that runs nothing its
// user must be the same. Failures have a server's numbers: 1094 (no such session), 1095 (not its owner), or
// what the server says. To be called on the core of the session that asks, for another session than itself.
[[nodiscard]] runtime::Task<ServerResult<void>> kill_session(
    Worker& worker,
    const Identity& killer,
    KillOrder order
);

}  // namespace sql
