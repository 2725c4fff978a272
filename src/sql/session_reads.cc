// Reads of a session: on a replica that has what the session wrote, or else on the primary.
#include "sql/reply.h"
#include "sql/session_servers.h"
#include "sql/worker.h"

namespace sql {

namespace {

constexpr int kReplicasTried = 2;  // of one read, before the primary

}  // namespace

runtime::Task<Ran> SessionServers::run(RoutePlan plan, Order order) {
    // It is of no table. In a transaction the replica's status flags would not be the session's.
    bool shows_messages =
        order.effects.verb == Verb::show && order.continuity.of_messages && !state_.is_in_transaction();
    if (plan.place == Place::previous || (shows_messages && messages_at_.is(replica_))) {
        co_return co_await run_on_previous(order);
    }
    if (uint64_t shares = worker_.routing()->shares; replica_shares_ != shares) {
        replica_node_.reset();
        replica_shares_ = shares;
    }
    std::optional<size_t> node;
    if (plan.place == Place::replica) {
        node = plan.node;
    }
    for (int tried = 0; node && tried < kReplicasTried; ++tried) {
        std::optional<Ran> ran = co_await try_replica(*node, plan, order);
        if (ran) {
            co_return *ran;
        }
        node = other_replica(*node);
    }
    bool was_free = plan.place == Place::replica || plan.reason == RouteReason::no_fit_replica ||
                    plan.reason == RouteReason::reads_are_for_primary ||
                    plan.reason == RouteReason::reads_are_for_all;
    if (was_free) {
        worker_.counters().reads_on_primary.add();
    }
    co_return co_await run_on_primary(order);
}

std::optional<size_t> SessionServers::other_replica(size_t failed) const {
    std::shared_ptr<const Routing> routing = worker_.routing();
    for (size_t step = 1; step < routing->nodes.size(); ++step) {
        size_t at = (failed + step) % routing->nodes.size();
        const Node& node = routing->nodes[at];
        if (node.state == NodeState::replica && node.is_fit && node.share() > 0) {
            return at;
        }
    }
    return std::nullopt;
}

// Nothing: the replica cannot be had, or was lost before it gave a row; the command still lies there.
runtime::Task<std::optional<Ran>> SessionServers::try_replica(size_t node, RoutePlan plan, Order order) {
    Ready ready = co_await ready_replica(node);
    bool is_over = !ready && (ready.error().kind == core::ErrorKind::exhausted ||
                              ready.error().kind == core::ErrorKind::cancelled);
    if (is_over) {
        co_return co_await answer_failure(std::move(ready).error());
    }
    if (!ready) {
        co_return std::nullopt;
    }
    ServerPool& pool = worker_.pool();
    if (plan.reads_own_writes) {
        bool has_writes = co_await has_own_writes();
        if (!has_writes) {
            if (replica_.link != nullptr) {
                pool.give(replica_, Tenure::none);
                pool.release(replica_);
            }
            co_return std::nullopt;
        }
    }
    rewrite_ = {};
    answering_.reset();
    Ready fitted = co_await fit_statement(replica_, order);
    if (!fitted) {
        if (fitted.error().is_from_server()) {
            pool.give(replica_, Tenure::none);
            pool.release(replica_);
        } else {
            pool.drop(replica_);
        }
        co_return std::nullopt;  // the primary says what is wrong with it
    }
    RelayOutcome outcome = co_await relay({
        .worker = worker_,
        .client = client_,
        .link = *replica_.link,
        .state = nullptr,
        .effects = order.effects,
        .form = order.form,
        .repeat = client_.command_size > 0 ? Repeat::until_a_row : Repeat::never,
        .rewrite = rewrite_.view(),
        .statement_id = order.use == nullptr ? 0 : order.use->id,
    });
    if (outcome.end == RelayEnd::complete) {
        worker_.counters().reads_on_replicas.add();
        co_return note_read(outcome, order);
    }
    std::string server = replica_.link->address.to_string();
    if (outcome.end == RelayEnd::repeatable && !outcome.link_must_close) {
        pool.give(replica_, Tenure::none);
        pool.release(replica_);
    } else {
        pool.drop(replica_);
    }
    if (outcome.end == RelayEnd::repeatable) {
        worker_.counters().repeated.add();
        co_return std::nullopt;
    }
    if (outcome.end != RelayEnd::server_lost || outcome.has_given) {
        co_return Ran{.session_ends = true};
    }
    ServerFailure failure = own_failure(
        mysql::kErrorServerLost,
        "trilith: the replica " + server + " was lost while this ran (" + outcome.sentence + "): repeat it"
    );
    co_return co_await answer_failure(std::move(failure));
}

Ran SessionServers::note_read(const RelayOutcome& outcome, const Order& order) {
    replica_node_ = replica_.link->node;
    note_result(replica_, outcome, order);
    note_statement(*replica_.link, outcome, order);
    if (outcome.link_must_close) {
        worker_.pool().drop(replica_);
    } else {
        worker_.pool().give(replica_, tenure_after(replica_, outcome, order.effects));
    }
    return {
        .session_ends = outcome.client_must_close,
        .is_done = !outcome.has_failed,
        .status = outcome.status,
        .prepared = outcome.prepared,
    };
}

runtime::Task<SessionServers::Ready> SessionServers::ready_replica(size_t node) {
    ServerPool& pool = worker_.pool();
    // COM_SET_OPTION may have changed the class since, which keeps the result of the statement before.
    bool is_right =
        replica_.link != nullptr && replica_.link->node == node && replica_.link->pool_class == class_;
    bool has_own = is_right && pool.take_back(replica_);
    if (!has_own) {
        pool.release(replica_);
        Ready taken = co_await take(replica_, node, state_.told());
        if (!taken) {
            co_return taken;
        }
    }
    // It may lack what the primary has only just made.
    Preparation wanted{.state = state_.told()};
    Ready told;
    if (!is_ready(*replica_.link, wanted)) {
        told = co_await prepare(replica_, wanted);
    }
    if (told) {
        state_.share(replica_.link->told.carried);
    }
    co_return told;
}

runtime::Task<bool> SessionServers::settle_token() {
    if (!state_.is_token_short()) {
        co_return true;
    }
    ServerPool& pool = worker_.pool();
    bool is_held = primary_.link != nullptr && primary_.link->is_used;
    if (primary_.link == nullptr || (!is_held && !pool.take_back(primary_))) {
        co_return false;
    }
    auto position = co_await ask_position(worker_, *primary_.link);
    disturb_result(primary_);
    if (!position) {
        leave_primary();
        co_return false;
    }
    if (!is_held) {
        pool.give(primary_, Tenure::soft);
    }
    state_.take_position(*position);
    co_return true;
}

// Whether the replica has what the session wrote; waits for it a little.
runtime::Task<bool> SessionServers::has_own_writes() {
    CoreCounters& counters = worker_.counters();
    bool is_settled = co_await settle_token();
    if (!is_settled) {
        co_return false;
    }
    if (state_.token().is_empty()) {
        co_return true;
    }
    const Node& node = worker_.routing()->nodes[replica_.link->node];
    bool is_known = node.generation == replica_.link->generation && node.applied.covers(state_.token());
    if (is_known || replica_.link->covered.covers(state_.token())) {
        counters.own_writes_covered.add();
        co_return true;
    }
    worker_.note_tokens_outstanding();
    core::Duration wait = worker_.config().own_writes_wait;
    if (wait > core::Duration{}) {
        counters.own_writes_waited.add();
        auto reached = co_await await_position(worker_, *replica_.link, state_.token(), wait);
        disturb_result(replica_);
        if (!reached) {
            worker_.pool().drop(replica_);
        } else if (*reached) {
            co_return true;
        }
    }
    counters.own_writes_to_primary.add();
    co_return false;
}

// FOUND_ROWS(), SHOW WARNINGS …: nothing may come between it and the statement before.
runtime::Task<Ran> SessionServers::run_on_previous(Order order) {
    bool is_prepare = order.use != nullptr && order.use->command == mysql::Command::statement_prepare;
    bool knows = is_prepare ? row_count_at_.is(replica_)
                            : is_asked_at(replica_, order) && can_make_up(replica_, order);
    bool may_run = knows && order.effects.pins.is_empty();  // what is assigned there would be there alone
    if (!may_run) {
        co_return co_await run_on_primary(order);  // which has it, or knows what else can be done
    }
    asks_of_previous_ = true;
    if (!worker_.pool().take_back(replica_)) {
        co_return co_await run_on_primary(order);
    }
    Preparation wanted{.state = state_.told()};
    Ready told;
    if (!is_ready(*replica_.link, wanted)) {
        told = co_await prepare(replica_, wanted);
    }
    if (!told) {
        co_return co_await run_on_primary(order);
    }
    if (!can_make_up(replica_, order)) {
        worker_.pool().give(replica_, Tenure::none);
        co_return co_await run_on_primary(order);
    }
    rewrite_ = {};
    answering_.reset();
    told = co_await make_up_result(replica_, order);
    if (!told) {
        worker_.pool().drop(replica_);
        co_return co_await run_on_primary(order);
    }
    Ready fitted = co_await fit_statement(replica_, order);
    if (!fitted) {
        worker_.pool().drop(replica_);
        co_return co_await run_on_primary(order);
    }
    RelayOutcome outcome = co_await relay({
        .worker = worker_,
        .client = client_,
        .link = *replica_.link,
        .state = nullptr,
        .effects = order.effects,
        .form = order.form,
        .rewrite = rewrite_.view(),
        .statement_id = order.use == nullptr ? 0 : order.use->id,
    });
    if (outcome.end == RelayEnd::complete) {
        co_return note_read(outcome, order);
    }
    worker_.pool().drop(replica_);
    bool is_lost = outcome.end == RelayEnd::server_lost && !outcome.has_given;
    if (is_lost) {
        ServerFailure failure = own_failure(mysql::kErrorServerLost, "trilith: " + outcome.sentence);
        co_return co_await answer_failure(std::move(failure));
    }
    co_return Ran{.session_ends = true};
}

}  // namespace sql
