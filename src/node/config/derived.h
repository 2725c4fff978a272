// What [servers] gives the balancer without being written again: the pool of the tier behind it.
#pragma once

#include <optional>
#include <string_view>

#include "node/config/config.h"

namespace node {

// "web" where servers have that role, else "app" where servers have that one, and "" without any of them or
// without a balancer.
[[nodiscard]] std::string_view derived_pool_name(const Config& config);

// The path that checks of the derived pool ask for where [balancer.health] has none.
[[nodiscard]] std::string_view derived_health_path(const Config& config);

// The pool of that name, begun as a copy of `defaults`: a backend a server with the role, in the order of
// [servers]. None where there is none.
[[nodiscard]] std::optional<upstream::PoolConfig> derive_pool(
    const Config& config,
    const upstream::PoolConfig& defaults
);

}  // namespace node
