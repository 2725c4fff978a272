#include "sql/route.h"

namespace sql {

namespace {

bool is_fit(const Node& node, const Hint& hint) {
    bool is_near = !hint.has_max_lag || (node.lag && *node.lag <= hint.max_lag);
    return node.state == NodeState::replica && node.is_fit && is_near;
}

std::optional<size_t> choose_replica(
    const Routing& routing,
    const Hint& hint,
    std::optional<size_t> present,
    uint64_t random
) {
    if (present && *present < routing.nodes.size() && is_fit(routing.nodes[*present], hint) &&
        routing.nodes[*present].share() > 0) {
        return present;
    }
    uint64_t sum = 0;
    for (const Node& node : routing.nodes) {
        sum += is_fit(node, hint) ? node.share() : 0;
    }
    if (sum == 0) {
        return std::nullopt;
    }
    uint64_t point = random % sum;
    for (size_t at = 0; at < routing.nodes.size(); ++at) {
        const Node& node = routing.nodes[at];
        uint64_t share = is_fit(node, hint) ? node.share() : 0;
        if (point < share) {
            return at;
        }
        point -= share;
    }
    return std::nullopt;
}

// With reads = "all": whether this read is one of the primary's share.
bool is_turn_of_primary(const Routing& routing, uint64_t random) {
    const Node* primary = routing.primary_node();
    if (primary == nullptr) {
        return false;
    }
    uint64_t sum = primary->share();
    for (const Node& node : routing.nodes) {
        sum += is_fit(node, {}) ? node.share() : 0;
    }
    // Other bits than those that choose among the replicas.
    return sum == 0 || (random >> 32) % sum < primary->share();
}

RoutePlan to_primary(RouteReason reason) { return {.place = Place::primary, .reason = reason}; }

std::optional<RouteReason> held_by(const SessionFacts& session) {
    if (session.is_in_transaction) {
        return RouteReason::in_transaction;
    }
    if (!session.is_autocommit) {
        return RouteReason::autocommit_is_off;
    }
    if (!session.pins.is_empty()) {
        return RouteReason::pinned;
    }
    return std::nullopt;
}

std::string_view words_of(RouteReason reason) {
    switch (reason) {
        case RouteReason::read: return "it is a read, and a replica is fit";
        case RouteReason::in_transaction: return "the session is in a transaction";
        case RouteReason::autocommit_is_off: return "the session has autocommit off";
        case RouteReason::pinned: return "the session has something that only its connection has";
        case RouteReason::server_schema: return "the session's schema differs from server to server";
        case RouteReason::reads_are_for_primary: return "database.reads is \"primary\"";
        case RouteReason::reads_are_for_all: return "it is the primary's turn, as database.reads is \"all\"";
        case RouteReason::no_fit_replica: return "it is a read, but no replica is fit";
        case RouteReason::hint: return "its comment asks for it";
        case RouteReason::previous_result: return "it asks about the statement before";
        case RouteReason::last_insert_id: return "it asks for the id of the last insert";
        case RouteReason::not_a_read: break;
    }
    return "";
}

}  // namespace

RoutePlan plan_route(
    const StatementClass& statement,
    const SessionFacts& session,
    const Routing& routing,
    Reads reads,
    uint64_t random
) {
    if (auto reason = held_by(session)) {
        return to_primary(*reason);
    }
    if (statement.target == Target::same_connection_as_before) {
        if (statement.reads_insert_id || statement.reads_last_gtid) {
            return to_primary(RouteReason::last_insert_id);
        }
        return {.place = Place::previous, .reason = RouteReason::previous_result};
    }
    if (statement.target != Target::read || statement.transaction != TransactionEffect::none) {
        return to_primary(
            statement.hint.wish == Hint::Wish::primary ? RouteReason::hint : RouteReason::not_a_read
        );
    }
    if (is_server_schema(session.database)) {
        return to_primary(RouteReason::server_schema);
    }
    bool wants_replica = statement.hint.wish == Hint::Wish::replica;
    if (reads == Reads::primary && !wants_replica) {
        return to_primary(RouteReason::reads_are_for_primary);
    }
    if (reads == Reads::all && !wants_replica && is_turn_of_primary(routing, random)) {
        return to_primary(RouteReason::reads_are_for_all);
    }
    auto replica = choose_replica(routing, statement.hint, session.replica, random);
    if (!replica) {
        return to_primary(RouteReason::no_fit_replica);
    }
    return {
        .place = Place::replica,
        .node = *replica,
        .reads_own_writes = statement.hint.reads_own_writes,
        .reason = RouteReason::read,
    };
}

std::string route_sentence(const RoutePlan& plan, const StatementClass& statement) {
    std::string_view words = words_of(plan.reason);
    return words.empty() ? reason_sentence(statement) : std::string(words);
}

}  // namespace sql
