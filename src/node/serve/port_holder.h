// Who has a port that we wanted, as far as the system tells us.
#pragma once

#include <string>

#include "net/address.h"

namespace node {

// The processes that listen at this address and port, or at every address with that port: "process 4711
// (nginx)"; those of other users are named only where we may look at them. Empty: it cannot be told.
[[nodiscard]] std::string port_holder(const net::Address& address);

// What to do about it, for the end of a sentence: who listens there, and that another port can be written.
[[nodiscard]] std::string port_cure(const net::Address& address);

}  // namespace node
