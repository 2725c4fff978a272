// Orders about the databases, as they travel over the control socket, and the verbs that give them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cluster/orders.h"
#include "core/result.h"
#include "node/command_line.h"
#include "node/console.h"
#include "node/running_site.h"

namespace node {

// What stands in an order's body; each may be left out but rejoin's server.
//
//   POST /v1/switchover  {"to":"db2","kill":true,"dry_run":true}
//   POST /v1/failover    {"to":"db2","accept_loss":true,"dry_run":true}
//   POST /v1/rejoin      {"server":"db1","discard_extra":true,"dry_run":true}
struct DatabaseOrder {
    cluster::Order order{};
    bool is_dry = false;
};

[[nodiscard]] core::Result<DatabaseOrder> parse_database_order(
    cluster::OrderKind kind,
    std::string_view body
);

// {"order":3}: the number by which the status tells what became of it.
[[nodiscard]] std::string format_order_number(uint64_t number);
// {"server":"db2","plan":["…"]}
[[nodiscard]] std::string format_order_plan(const cluster::OrderPlan& plan);

// Moves the primary by order of `leader`, the server that leads, and follows that to its end; gives the
// sentence of how it went. `to`: empty for the replica that has most. Fails with why it was not done.
[[nodiscard]] core::Result<std::string> order_switchover(
    const RunningSite& leader,
    const std::string& to,
    Console& console
);

// The verbs: each asks the leader, and follows the order to its end.
[[nodiscard]] int run(const SwitchoverOptions& options, Console& console);
[[nodiscard]] int run(const FailoverOptions& options, Console& console);
[[nodiscard]] int run(const RejoinOptions& options, Console& console);

}  // namespace node
