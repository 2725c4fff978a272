// Which server runs a statement of a session: pure, decided from the statement's class, what the session is,
// and what is known of the servers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/config.h"
#include "sql/routing.h"
#include "sql/statement_class.h"

namespace sql {

enum class Place : uint8_t {
    primary,
    replica,   // RoutePlan::node
    previous,  // the connection that ran the statement before
};

enum class RouteReason : uint8_t {
    not_a_read,
    read,
    in_transaction,
    autocommit_is_off,
    pinned,
    server_schema,
    reads_are_for_primary,  // database.reads = "primary"
    reads_are_for_all,      // database.reads = "all", and it was the primary's turn
    no_fit_replica,
    hint,
    previous_result,
    last_insert_id,  // kept by the connection that wrote, which is the primary's
};

// The part of the session that decides.
struct SessionFacts {
    bool is_in_transaction = false;
    bool is_autocommit = true;
    PinSet pins{};
    std::string_view database{};
    std::optional<size_t> replica{};  // the node of its open connection to a replica
};

struct RoutePlan {
    Place place = Place::primary;
    size_t node = 0;               // of `replica`: place in Routing::nodes
    bool reads_own_writes = true;  // of `replica`: it must have what the session wrote
    RouteReason reason = RouteReason::not_a_read;

    friend bool operator==(const RoutePlan&, const RoutePlan&) = default;
};

// `random` is any number: it spreads sessions over the replicas by their shares. A session stays with the
// replica that it has while that is fit and has a share.
[[nodiscard]] RoutePlan plan_route(
    const StatementClass& statement,
    const SessionFacts& session,
    const Routing& routing,
    Reads reads,
    uint64_t random
);

// Why the plan is what it is: one sentence without a full stop.
[[nodiscard]] std::string route_sentence(const RoutePlan& plan, const StatementClass& statement);

}  // namespace sql
