// What an operator changed at a backend, as plain values: part of a server's status.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "upstream/health.h"

namespace node {

struct OverrideStatus {
    std::optional<uint32_t> weight;
    std::optional<std::string> admin;  // "drain" or "disable"

    [[nodiscard]] bool is_empty() const { return !weight && !admin; }
};

// `admin`: nothing, draining or disabled.
[[nodiscard]] inline OverrideStatus override_status(
    std::optional<uint32_t> weight,
    std::optional<upstream::AdminState> admin
) {
    OverrideStatus status{.weight = weight, .admin = std::nullopt};
    if (admin) {
        status.admin = *admin == upstream::AdminState::draining ? "drain" : "disable";
    }
    return status;
}

}  // namespace node
