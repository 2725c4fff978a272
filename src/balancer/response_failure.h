// How an exchange ends whose response cannot be brought to its end, however its bytes are moved.
#pragma once

#include <sys/types.h>

#include "balancer/exchange.h"

namespace balancer {

// True: `received`, what a receive of more of the body from the backend gave, settles the exchange. Counts
// the bytes, or the failure. 0 is an end too early.
[[nodiscard]] bool has_failed_from_backend(Exchange& exchange, ssize_t received);

// True: `sent`, what a send of the response to the client gave, settles the exchange.
[[nodiscard]] bool has_failed_to_client(Exchange& exchange, ssize_t sent);

}  // namespace balancer
