// A server's status as one JSON object, written by the server and read back by the client verbs.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "node/status/status.h"

namespace node {

// What GET /v1/status answers; docs/control.md lists the keys. One line without its end.
[[nodiscard]] std::string status_json(const ServerStatus& status);

// Reads what status_json() wrote, by this version or another: an unknown key is passed over, a missing one
// leaves its default. ErrorKind::invalid: not a JSON object, or a value of the wrong kind.
[[nodiscard]] core::Result<ServerStatus> parse_status_json(std::string_view text);

}  // namespace node
