// How a control socket says no.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/result.h"
#include "node/control/server.h"

namespace node {

// {"error":"SENTENCE"} with that status.
[[nodiscard]] ControlReply error_reply(uint16_t status, std::string_view sentence);

// 400 invalid, 404 not_found, 409 conflict, 413 too_large, else 500.
[[nodiscard]] ControlReply error_reply(const core::Error& error);

}  // namespace node
