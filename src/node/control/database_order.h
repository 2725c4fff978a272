// Orders about the databases, as they travel over the control socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cluster/orders.h"
#include "core/result.h"

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

// The body by which it is asked for.
[[nodiscard]] std::string format_database_order(const DatabaseOrder& order);

// {"order":3}: the number by which the status tells what became of it.
[[nodiscard]] std::string format_order_number(uint64_t number);
// {"server":"db2","plan":["…"]}
[[nodiscard]] std::string format_order_plan(const cluster::OrderPlan& plan);

}  // namespace node
