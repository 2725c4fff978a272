// The part of a status that is about the databases (status/json.h), as the verbs read it.
#pragma once

#include "node/control/json_values.h"
#include "node/status/status.h"

namespace node {

[[nodiscard]] DatabaseStatus read_database_status(JsonValues object);

}  // namespace node
