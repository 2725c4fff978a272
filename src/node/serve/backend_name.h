// Finds the backend that an operator means: NAME where that is unique, else POOL/NAME; "database" is the pool
// of the SQL router's nodes.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "node/config/config.h"
#include "node/serve/front.h"
#include "node/serve/sql_router.h"

namespace node {

inline constexpr std::string_view kDatabasePool = "database";

// Who has backends on this server.
struct BackendOwners {
    std::span<const std::unique_ptr<Front>> fronts{};
    SqlRouter* router = nullptr;              // null: there is none
    std::span<const ServerConfig> servers{};  // of the site: their names, too, are known to an operator
};

// A backend of a front, or a node of the router.
struct FoundBackend {
    Front* front = nullptr;  // null: it is the router's
    balancer::PoolDirector::Found place{};
    SqlRouter* router = nullptr;
    size_t node = 0;

    [[nodiscard]] std::string name() const;
    // "pool/backend".
    [[nodiscard]] std::string full_name() const;
    [[nodiscard]] uint32_t weight() const;  // in force
    [[nodiscard]] uint32_t configured_weight() const;
    [[nodiscard]] balancer::BackendOverride kept() const;
    void set_override(const balancer::BackendOverride& override) const;
    [[nodiscard]] bool is_node() const { return front == nullptr; }
    // Takes the writes of the database.
    [[nodiscard]] bool is_primary() const;
};

// What an operator says of a backend from now on.
struct OverrideChange {
    FoundBackend found;
    balancer::BackendOverride override;  // in place of what was before
    std::string sentence;                // what that changes
};

// Errors: not_found (with the nearest name), conflict (ambiguous: says the full names).
[[nodiscard]] core::Result<FoundBackend> find_backend(const BackendOwners& owners, std::string_view name);

// Every backend of every pool, in order; then the nodes.
[[nodiscard]] std::vector<FoundBackend> all_backends(const BackendOwners& owners);

}  // namespace node
