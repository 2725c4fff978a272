// The order to move the database primary, as it travels over the control socket, and the verb that gives it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "node/command_line.h"
#include "node/console.h"

namespace node {

// POST /v1/switchover: {"to":"db2","dry_run":true}; both may be left out.
struct SwitchoverOrder {
    std::string to{};  // empty: the replica that has most
    bool is_dry = false;
};

[[nodiscard]] core::Result<SwitchoverOrder> parse_switchover_order(std::string_view body);

// {"switchover":3}: the number by which the status tells what became of it.
[[nodiscard]] std::string format_switchover(uint64_t number);
// {"to":"db2","plan":["…"]}
[[nodiscard]] std::string format_switchover_plan(const std::string& to, const std::vector<std::string>& plan);

// `trilith switchover`: asks the leader, and follows the order to its end.
[[nodiscard]] int run(const SwitchoverOptions& options, Console& console);

}  // namespace node
