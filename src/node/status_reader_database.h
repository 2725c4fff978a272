// The part of a status that is about the databases (status_json.h), as the verbs read it.
#pragma once

#include "node/json_values.h"
#include "node/status.h"

namespace node {

[[nodiscard]] DatabaseStatus read_database_status(JsonValues object);

}  // namespace node
