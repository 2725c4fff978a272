// Opening and keeping the connection to the primary, and running commands on it.
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
    auto fit = std::ranges::find(routing.nodes, true, &Node::is_fit);
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

// The router has let the client in, and the server does not.
ServerFailure explain_refusal(ServerFailure failure, const net::Address& server) {
    if (failure.number == mysql::kErrorAccessDenied) {
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

// Without a copy where nothing has changed, which is nearly always.
void note_told(ToldState& told, const ToldState& state) {
    told.is_autocommit = state.is_autocommit;
    if (told.carried != state.carried) {
        told.carried = state.carried;
    }
    if (told.database != state.database) {
        told.database = state.database;
    }
}

// After a failed write it may be one that nobody was told.
constexpr mysql::Gtid kUnknownGtid{.domain = UINT32_MAX, .server = UINT32_MAX, .sequence = UINT64_MAX};

// Kind `closed` makes answer_failure() end the session.
ServerFailure lost_state(std::string message) {
    ServerFailure failure = own_failure(mysql::kErrorServerLost, std::move(message));
    failure.kind = core::ErrorKind::closed;
    return failure;
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
    core::Instant deadline = worker_.now() + worker_.shared().config.hold;
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
                    explain_refusal(std::move(made).error(), routing->nodes[*node].address)
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
runtime::Task<SessionServers::Ready> SessionServers::keep_held(const Order& order, core::Instant deadline) {
    const Node* primary = worker_.routing()->primary_node();
    const ServerLink& link = *primary_.link;
    bool is_another =
        primary != nullptr && (primary->address != link.address || primary->generation != link.generation);
    if (is_another || !link.is_alive()) {
        leave_primary();
        co_return std::unexpected(lost_state(std::string(kHeldStateLost)));
    }
    if (order.continuity.of_gtid && link.last_gtid != state_.last_gtid()) {
        co_return std::unexpected(lost_gtid());
    }
    bool must_tell = order.continuity.of_insert && primary_.insert_id.where != InsertId::Where::link;
    if (!must_tell) {
        co_return Ready{};
    }
    std::optional<uint64_t> insert_id = co_await known_insert_id(deadline);
    if (!insert_id && !order.continuity.may_be_lost) {
        co_return std::unexpected(lost_insert());
    }
    if (!insert_id || link.insert_id == insert_id) {
        co_return Ready{};
    }
    Ready told = co_await tell_insert_id(worker_, *primary_.link, *insert_id);
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
    bool owns_result = owns_previous(primary_);
    bool has_own = primary_.link != nullptr && primary_.link->node == node && pool.take_back(primary_);
    if (!has_own) {
        pool.release(primary_);
        owns_result = false;
    }
    if (order.continuity.of_result && !owns_result) {
        if (auto lost = bridge_result(order)) {
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
    Ready prepared = co_await pool.prepare(
        primary_,
        {.state = state_.told(), .insert_id = insert_id, .clears_gtid = clears_gtid}
    );
    if (prepared) {
        state_.share(primary_.link->told.carried);
    }
    co_return prepared;
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
        if (order.continuity.of_result && owns_previous(replica_)) {
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
                co_return std::unexpected(explain_refusal(std::move(ready).error(), address));
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

Repeat SessionServers::repeat_of(const StatementEffects& effects) const {
    if (holds_primary() || client_.command_size == 0) {
        return Repeat::never;
    }
    return effects.is_read ? Repeat::until_a_row : Repeat::if_refused_only;
}

Ran SessionServers::note_ran(const RelayOutcome& outcome, const Order& order) {
    const StatementEffects& effects = order.effects;
    bool is_statement = !order.capabilities;  // COM_SET_OPTION leaves the result of the statement before
    last_run_ = is_statement ? LastRun::primary : last_run_;
    PinSet before = state_.pins();
    if (outcome.has_failed) {
        state_.note_error(effects);
    } else {
        state_.note_success(effects);
    }
    for (size_t pin = 0; pin < kPinCount; ++pin) {
        if (state_.pins().has(static_cast<Pin>(pin)) && !before.has(static_cast<Pin>(pin))) {
            worker_.counters().pinned[pin].add();
        }
    }
    has_prepared_ = has_prepared_ || outcome.prepared;
    count_holds();
    ServerLink& link = *primary_.link;
    if ((outcome.status & mysql::kStatusDatabaseDropped) != 0) {
        state_.select_database("");  // it dropped the schema that it stood in
    }
    note_told(link.told, state_.told());
    link.has_failed_set = link.has_failed_set || (outcome.has_failed && effects.verb == Verb::set);
    if (is_statement) {
        note_result(link, outcome, effects);
    }
    note_insert_id(outcome, order);
    if (state_.last_gtid() != gtid_before_) {
        link.last_gtid = state_.last_gtid();
    } else if (outcome.has_failed && !effects.is_read) {
        link.last_gtid = kUnknownGtid;
    }
    if (order.capabilities && !outcome.has_failed) {
        change_capabilities(*order.capabilities);
    }
    bool holds = holds_primary();
    Ran ran{
        .session_ends = outcome.client_must_close || (outcome.link_must_close && holds),
        .is_done = !outcome.has_failed,
        .status = outcome.status,
        .prepared = outcome.prepared,
    };
    if (outcome.link_must_close) {
        leave_primary();
    } else if (!holds) {
        worker_.pool().give(primary_, tenure_after(outcome, effects));
    }
    return ran;
}

runtime::Task<Ran> SessionServers::run_on_primary(Order order) {
    core::Instant deadline = worker_.now() + worker_.shared().config.hold;
    for (;;) {
        instead_.reset();
        Ready ready = co_await ready_primary(order, deadline);
        if (!ready && order.form == mysql::ResponseForm::none) {
            client_.settle_command();  // nobody waits for an answer
            bool is_lost = ready.error().kind == core::ErrorKind::closed || client_.is_streaming;
            co_return Ran{.session_ends = is_lost};
        }
        if (!ready) {
            co_return co_await answer_failure(std::move(ready).error());
        }
        bool had_hold = holds_primary();
        gtid_before_ = state_.last_gtid();
        RelayOutcome outcome = co_await relay({
            .worker = worker_,
            .client = client_,
            .link = *primary_.link,
            .state = &state_,
            .effects = order.effects,
            .form = order.form,
            .repeat = repeat_of(order.effects),
            .instead = instead_ ? std::string_view(*instead_) : std::string_view{},
        });
        switch (outcome.end) {
            case RelayEnd::complete: co_return note_ran(outcome, order);
            case RelayEnd::client_gone:
            case RelayEnd::stopped: leave_primary(); co_return Ran{.session_ends = true};
            case RelayEnd::server_lost: co_return co_await answer_lost(std::move(outcome), had_hold);
            case RelayEnd::repeatable: break;
        }
        worker_.counters().repeated.add();
        worker_.shared().watch.on_node_failure(primary_.link->address);
        leave_primary();
        if (worker_.now() >= deadline) {
            ServerFailure failure =
                outcome.refusal.value_or(own_failure(mysql::kErrorServerLost, "trilith: " + outcome.sentence)
                );
            co_return co_await answer_failure(std::move(failure));
        }
        bool goes_on = co_await await_routing(deadline);
        if (!goes_on) {
            co_return Ran{.session_ends = true};
        }
    }
}

// The server broke off. Whether the statement took effect, nobody can tell here.
runtime::Task<Ran> SessionServers::answer_lost(RelayOutcome outcome, bool had_hold) {
    std::string server = primary_.link->address.to_string();
    leave_primary();
    if (outcome.has_given) {
        co_return Ran{.session_ends = true};
    }
    std::string message = "trilith: the primary " + server + " was lost while this ran (" + outcome.sentence +
                          "): whether it took effect is not known, look before you repeat it";
    if (had_hold || outcome.client_must_close) {
        co_return co_await answer_failure(lost_state(std::move(message)));
    }
    ServerFailure failure = own_failure(mysql::kErrorServerLost, std::move(message));
    co_return co_await answer_failure(std::move(failure));
}

runtime::Task<Ran> SessionServers::answer_failure(ServerFailure failure) {
    bool ends = failure.kind == core::ErrorKind::closed || client_.is_streaming;
    if (failure.kind == core::ErrorKind::cancelled) {
        co_return Ran{.session_ends = true};
    }
    client_.settle_command();
    uint8_t sequence = client_.is_streaming ? uint8_t{1} : client_.requests.next_sequence();
    bool is_told = co_await reply_error(worker_, client_, sequence, told_failure(std::move(failure)));
    co_return Ran{.session_ends = ends || !is_told};
}

}  // namespace sql
