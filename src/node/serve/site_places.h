// What a configuration names on this machine (roots, error pages, the program, itself): whether it is there
// and can be read by the user who serves.
#pragma once

#include <string>
#include <vector>

#include "node/config/config.h"
#include "node/config/error.h"
#include "node/serve/user_rule.h"
#include "node/status/status.h"
#include "runtime/os.h"

namespace node {

struct PlaceFindings {
    std::vector<ConfigError> problems;  // a server with them does not start: roots
    std::vector<ConfigError> warnings;  // it starts, and something will fail
};

// Looks for a server with these roles, with the rights that `users` will have, at the time of the call; each
// finding stands at its key in `file`, from which `config` was read, and has a cure. Roots are opened as who
// we are, as a start does, and read by the rights of the server's user.
[[nodiscard]] PlaceFindings look_at_places(
    const Config& config,
    const std::string& file,
    RoleSet roles,
    const Users& users
);

// Whether the server's address is one of this machine: what a file says of other servers lies elsewhere.
[[nodiscard]] bool is_of_this_machine(runtime::Os& os, const ServerConfig& server);

// Every server of the file, as `status` tells it; `self` is the one that asks.
[[nodiscard]] std::vector<PlannedServer> whiteboard_of(
    runtime::Os& os,
    const Config& config,
    std::string_view self
);

}  // namespace node
