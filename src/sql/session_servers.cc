// Opening and keeping the connection to the primary.
#include "sql/session_servers.h"

#include <algorithm>

#include "sql/reply.h"
#include "sql/worker.h"

namespace sql {

namespace {

// While no primary is known, or it cannot be reached: how long until the next look, if nobody tells.
constexpr core::Duration kPrimaryLook = std::chrono::milliseconds(100);

std::optional<size_t> first_node(const Routing& routing) {
    if (routing.primary) {
        return routing.primary;
    }
    auto fit = std::ranges::find_if(routing.nodes, [](const Node& node) {
        return node.is_fit && !node.override.admin;
    });
    if (fit == routing.nodes.end()) {
        return std::nullopt;
    }
    return static_cast<size_t>(fit - routing.nodes.begin());
}

ServerFailure no_primary(const Routing& routing, const std::optional<ServerFailure>& last) {
    std::string why = last ? last->message : routing.primary_why;
    return own_failure(
        mysql::kErrorServerGone,
        "trilith: there is no primary to run this on" + (why.empty() ? "" : ": " + why)
    );
}

// The router has let the client in, and a server that sees the router's address does not.
ServerFailure explain_refusal(ServerFailure failure, const net::Address& server, const Config& config) {
    bool is_explained = config.proxies_from || failure.message.starts_with("trilith:");
    if (failure.number == mysql::kErrorAccessDenied && !is_explained) {
        failure.message += " (trilith: the password is right, but " + server.to_string() +
                           " does not take this account from the router's address: create it for that "
                           "address, too)";
    }
    return failure;
}

// To try again would not help: a server has said no, there is no place, or nobody waits for it any more.
bool is_final(const ServerFailure& failure) {
    return failure.is_from_server() || failure.kind == core::ErrorKind::exhausted ||
           failure.kind == core::ErrorKind::cancelled;
}

constexpr std::string_view kHeldStateLost =
    "trilith: the connection to the primary is gone, and with it the transaction, the prepared statements or "
    "what else only it had of this session: connect anew and begin it again";

ServerFailure lost_insert() {
    return own_failure(
        mysql::kErrorServerLost,
        "trilith: the connection that ran the last insert is gone, and it alone knew LAST_INSERT_ID()"
    );
}

ServerFailure lost_gtid() {
    return own_failure(
        mysql::kErrorNotSupportedYet,
        "trilith: the connection that ran the last write serves another session now, and it alone knew "
        "@@last_gtid: ask for it in a transaction with the write, or right behind it"
    );
}

ServerFailure two_servers_know() {
    return own_failure(
        mysql::kErrorNotSupportedYet,
        "trilith: the statement before ran on a replica, which alone knows its FOUND_ROWS(), ROW_COUNT() and "
        "warnings: ask for them in a SELECT of their own, without LAST_INSERT_ID()"
    );
}

}  // namespace

runtime::Task<bool> SessionServers::await_routing(core::Instant deadline) {
    core::Instant look = std::min(deadline, worker_.now() + kPrimaryLook);
    auto outcome = co_await routing_changed_.wait(look);
    runtime::Fiber& fiber = co_await runtime::CurrentFiber{};
    co_return outcome != runtime::Outcome::cancelled || !fiber.is_stopped;
}

runtime::Task<ServerResult<Established>> SessionServers::establish(Identity identity, std::string database) {
    co_await leave();
    identity.capabilities = shared_capabilities(identity.capabilities);
    PoolClass& entered = worker_.pool().enter_class(identity);
    if (class_ != nullptr) {
        worker_.pool().leave_class(*class_);
    }
    class_ = &entered;
    core::Instant deadline = worker_.now() + worker_.config().hold;
    std::optional<ServerFailure> last;
    for (;;) {
        std::shared_ptr<const Routing> routing = worker_.routing();
        if (std::optional<size_t> node = first_node(*routing)) {
            auto made = co_await introduce(*node, database);
            if (made) {
                count_holds();
                co_return made;
            }
            if (is_final(made.error()) || made.error().kind == core::ErrorKind::unsupported) {
                co_return std::unexpected(
                    explain_refusal(std::move(made).error(), routing->nodes[*node].address, worker_.config())
                );
            }
            last = std::move(made).error();
        }
        bool goes_on = co_await await_routing(deadline);
        if (!goes_on || worker_.now() >= deadline) {
            co_return std::unexpected(no_primary(*worker_.routing(), last));
        }
    }
}

// The session has a transaction, a pin or prepared statements, and the connection that knows of them.
runtime::Task<SessionServers::Ready> SessionServers::keep_held(Order& order, core::Instant deadline) {
    std::shared_ptr<const Routing> routing = worker_.routing();
    const Node* primary = routing->primary_node();
    const ServerLink& link = *primary_.link;
    const Node& own = routing->nodes[link.node];
    // Where a reload has removed its server, it ends there what it has begun there.
    bool is_removed = own.state == NodeState::removed && own.address == link.address;
    bool is_another = primary != nullptr && !is_removed &&
                      (primary->address != link.address || primary->generation != link.generation);
    if (is_another || !link.is_alive()) {
        leave_primary();
        co_return std::unexpected(lost_state(std::string(kHeldStateLost)));
    }
    if (must_bridge(primary_, order)) {
        if (auto lost = bridge_result(primary_, order)) {
            co_return std::unexpected(*std::move(lost));
        }
    }
    if (order.continuity.of_gtid && link.last_gtid != state_.last_gtid()) {
        co_return std::unexpected(lost_gtid());
    }
    std::optional<uint64_t> insert_id;
    if (order.continuity.of_insert && primary_.insert_id.where != InsertId::Where::link) {
        insert_id = co_await known_insert_id(deadline);
        if (!insert_id && !order.continuity.may_be_lost) {
            co_return std::unexpected(lost_insert());
        }
    }
    Ready told;
    if (insert_id && link.insert_id != insert_id) {
        told = co_await tell_insert_id(worker_, *primary_.link, *insert_id);
    }
    if (told && order.continuity.of_result()) {
        told = co_await make_up_result(primary_, order);
    }
    if (!told) {
        leave_primary();
        co_return std::unexpected(lost_state(std::string(kHeldStateLost)));
    }
    co_return told;
}

// A connection to the primary that is as the session is.
runtime::Task<SessionServers::Ready> SessionServers::try_primary(
    size_t node,
    Order& order,
    core::Instant deadline
) {
    ServerPool& pool = worker_.pool();
    bool has_own = primary_.link != nullptr && primary_.link->node == node && pool.take_back(primary_);
    if (!has_own) {
        pool.release(primary_);
    }
    if (must_bridge(primary_, order)) {
        if (auto lost = bridge_result(primary_, order)) {
            co_return std::unexpected(*std::move(lost));
        }
    }
    std::optional<uint64_t> insert_id;
    if (order.continuity.of_insert && primary_.insert_id.where != InsertId::Where::link) {
        insert_id = co_await known_insert_id(deadline);
        if (!insert_id && !order.continuity.may_be_lost) {
            co_return std::unexpected(lost_insert());
        }
    }
    if (primary_.link == nullptr) {
        Ready taken = co_await take(primary_, node, state_.told());
        if (!taken) {
            co_return taken;
        }
    }
    bool has_gtid = primary_.link->last_gtid == state_.last_gtid();
    if (order.continuity.of_gtid && !has_gtid && state_.last_gtid()) {
        co_return std::unexpected(lost_gtid());
    }
    bool clears_gtid = order.continuity.of_gtid && !has_gtid;
    Preparation wanted{.state = state_.told(), .insert_id = insert_id, .clears_gtid = clears_gtid};
    if (!is_ready(*primary_.link, wanted)) {
        Ready prepared = co_await prepare(primary_, wanted);
        if (!prepared) {
            co_return prepared;
        }
    }
    state_.share(primary_.link->told.carried);
    Ready made;
    if (order.continuity.of_result()) {
        made = co_await make_up_result(primary_, order);
    }
    if (!made) {
        leave_primary();
    }
    co_return made;
}

runtime::Task<SessionServers::Ready> SessionServers::ready_primary(Order& order, core::Instant deadline) {
    std::optional<ServerFailure> last;
    bool is_counted = false;
    for (;;) {
        if (primary_.link != nullptr && primary_.link->is_used && holds_primary()) {
            co_return co_await keep_held(order, deadline);
        }
        if (holds_primary()) {
            leave_primary();
            co_return std::unexpected(lost_state(std::string(kHeldStateLost)));
        }
        bool is_known = order.question && answering_statement(*order.question, previous_);
        if (!is_known && is_asked_at(replica_, order) && !can_make_up(primary_, order)) {
            co_return std::unexpected(two_servers_know());
        }
        std::shared_ptr<const Routing> routing = worker_.routing();
        if (routing->primary) {
            Ready ready = co_await try_primary(*routing->primary, order, deadline);
            if (ready) {
                co_return ready;
            }
            if (primary_.link != nullptr && primary_.link->is_used) {
                worker_.pool().give(primary_, Tenure::soft);  // its own, for a statement that cannot run
            }
            if (is_final(ready.error())) {
                const net::Address& address = routing->nodes[*routing->primary].address;
                co_return std::unexpected(explain_refusal(std::move(ready).error(), address, worker_.config())
                );
            }
            last = std::move(ready).error();
        }
        if (!std::exchange(is_counted, true)) {
            worker_.counters().held.add();
        }
        bool goes_on = worker_.now() < deadline;
        if (goes_on) {
            goes_on = co_await await_routing(deadline);
        }
        if (!goes_on) {
            worker_.counters().held_in_vain.add();
            co_return std::unexpected(no_primary(*worker_.routing(), last));
        }
    }
}

}  // namespace sql
