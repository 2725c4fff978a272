// The fence of one machine: whoever holds a server's lock knows that no mariadbd writes to its data.
#pragma once

#include "cluster/config.h"
#include "runtime/descriptor.h"

namespace cluster {

// Sends SIGKILL to every process that runs on this server's data, its guard included, by pidfd, so that no
// stranger is hit. How many there were.
size_t kill_database(const Place& place);

// Whether no mariadbd of this server runs now.
[[nodiscard]] bool has_ended(const Place& place);

// The server's lock, if nobody has it: none can start until it is closed.
[[nodiscard]] runtime::Descriptor lock_database(const Place& place);

}  // namespace cluster
