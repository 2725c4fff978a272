// Finds the backend that an operator means: NAME where that is unique, else POOL/NAME.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "core/result.h"
#include "node/front.h"

namespace node {

struct FoundBackend {
    Front* front;  // never null
    balancer::PoolDirector::Found place;

    [[nodiscard]] const balancer::PoolDirector::Backend& backend() const {
        return front->director().backend(place);
    }
    // "pool/backend".
    [[nodiscard]] std::string full_name() const;
};

// Errors: not_found (with the nearest name), conflict (ambiguous: says the full names).
[[nodiscard]] core::Result<FoundBackend> find_backend(
    std::span<const std::unique_ptr<Front>> fronts,
    std::string_view name
);

// Every backend of every pool, in order.
[[nodiscard]] std::vector<FoundBackend> all_backends(std::span<const std::unique_ptr<Front>> fronts);

}  // namespace node
