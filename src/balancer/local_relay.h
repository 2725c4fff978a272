// Sends the answer of a handler of this process: its head, and a body from memory or from a file.
#pragma once

#include "balancer/exchange.h"
#include "runtime/task.h"

namespace balancer {

// Sends exchange.local, which is there. When it returns, the client has the answer as far as it took it, and
// the exchange says how it ended. A file that was changed or cut while it was sent ends the connection before
// its last bytes, so that nobody takes a mix of two versions for a whole.
[[nodiscard]] runtime::Task<void> send_local(Exchange& exchange);

}  // namespace balancer
