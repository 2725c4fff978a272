// What the control socket and the admin listener answer: each path is one call on the node.
#pragma once

#include "node/control/server.h"
#include "node/serve/node.h"

namespace node {

// The control socket (0600): status, metrics and all orders. docs/control.md is the reference.
[[nodiscard]] ControlReply answer_control(Node& node, const ControlRequest& request);

// The admin listener, where anybody may ask: GET /metrics and GET /healthz, nothing that changes anything.
[[nodiscard]] ControlReply answer_admin(const Node& node, const ControlRequest& request);

}  // namespace node
