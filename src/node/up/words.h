// What `trilith up` says of times and servers.
#pragma once

#include <string>
#include <vector>

#include "core/units.h"
#include "node/config/config.h"

namespace node {

// "153ms"
[[nodiscard]] std::string whole_milliseconds(core::Duration duration);

// Names and addresses, "web2 at 192.0.2.2, web3 at 192.0.2.3".
[[nodiscard]] std::string list_of(const std::vector<ServerConfig>& servers);

}  // namespace node
