// Finds the backend that an operator means: NAME where that is unique, else POOL/NAME.
#pragma once

#include <string_view>

#include "balancer/pool_director.h"
#include "core/result.h"

namespace node {

// Errors: not_found (with the nearest name), conflict (ambiguous: says the full names).
[[nodiscard]] core::Result<balancer::PoolDirector::Found> find_backend(
    const balancer::PoolDirector& director,
    std::string_view name
);

// "pool/backend".
[[nodiscard]] std::string full_backend_name(
    const balancer::PoolDirector& director,
    balancer::PoolDirector::Found found
);

}  // namespace node
