// Reads of a session: on a replica that has what the session wrote, or else on the primary.
#include "sql/reply.h"
#include "sql/session_servers.h"
#include "sql/worker.h"

namespace sql {

namespace {

constexpr int kReplicasTried = 2;  // of one read, before the primary

}  // namespace

runtime::Task<Ran> SessionServers::run(RoutePlan plan, Order order) {
    if (plan.place == Place::previous) {
        co_return co_await run_on_previous(order);
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
        if (node.state == NodeState::replica && node.is_fit && node.weight > 0) {
            return at;
        }
    }
    return std::nullopt;
}

// Nothing: the replica cannot be had, or was lost before it gave a row; the command still lies there.
runtime::Task<std::optional<Ran>> SessionServers::try_replica(size_t node, RoutePlan plan, Order order) {
    bool is_ready = co_await ready_replica(node);
    if (!is_ready) {
        co_return std::nullopt;
    }
    if (plan.reads_own_writes) {
        bool has_writes = co_await has_own_writes();
        if (!has_writes) {
            co_return std::nullopt;
        }
    }
    RelayOutcome outcome = co_await relay({
        .worker = worker_,
        .client = client_,
        .link = replica_,
        .state = nullptr,
        .effects = order.effects,
        .form = order.form,
        .repeat = client_.command_size > 0 ? Repeat::until_a_row : Repeat::never,
    });
    std::string server = replica_.address.to_string();
    if (outcome.link_must_close) {
        close_link(worker_, replica_);
    }
    switch (outcome.end) {
        case RelayEnd::complete:
            last_run_ = LastRun::replica;
            worker_.counters().reads_on_replicas.add();
            co_return Ran{
                .session_ends = outcome.client_must_close,
                .is_done = !outcome.has_failed,
                .status = outcome.status,
            };
        case RelayEnd::repeatable: worker_.counters().repeated.add(); co_return std::nullopt;
        case RelayEnd::client_gone:
        case RelayEnd::stopped: close_link(worker_, replica_); co_return Ran{.session_ends = true};
        case RelayEnd::server_lost: break;
    }
    close_link(worker_, replica_);
    if (outcome.has_given) {
        co_return Ran{.session_ends = true};
    }
    ServerFailure failure = own_failure(
        mysql::kErrorServerLost,
        "trilith: the replica " + server + " was lost while this ran (" + outcome.sentence + "): repeat it"
    );
    co_return co_await answer_failure(std::move(failure));
}

runtime::Task<bool> SessionServers::ready_replica(size_t node) {
    const Node target = worker_.routing()->nodes[node];
    bool is_right = replica_.is_open() && replica_.node == node && replica_.address == target.address &&
                    replica_.generation == target.generation && replica_.is_alive();
    if (!is_right) {
        Ready opened = co_await open_link(worker_, replica_, identity_, state_.database(), node);
        if (!opened) {
            close_link(worker_, replica_);
            co_return false;
        }
    }
    Ready told = co_await bring_up_to_date(worker_, replica_, state_);
    if (!told) {
        close_link(worker_, replica_);  // it may lack what the primary has only just made
    }
    co_return told.has_value();
}

// Whether the replica has what the session wrote; waits for it a little.
runtime::Task<bool> SessionServers::has_own_writes() {
    CoreCounters& counters = worker_.counters();
    if (state_.is_token_short()) {
        if (!primary_.is_open()) {
            co_return false;
        }
        auto position = co_await ask_position(worker_, primary_);
        if (!position) {
            close_link(worker_, primary_);
            co_return false;
        }
        state_.take_position(*position);
    }
    if (state_.token().is_empty()) {
        co_return true;
    }
    const Node& node = worker_.routing()->nodes[replica_.node];
    bool is_known = node.generation == replica_.generation && node.applied.covers(state_.token());
    if (is_known || replica_.covered.covers(state_.token())) {
        counters.own_writes_covered.add();
        co_return true;
    }
    worker_.note_tokens_outstanding();
    core::Duration wait = worker_.shared().config.own_writes_wait;
    if (wait > core::Duration{}) {
        counters.own_writes_waited.add();
        auto reached = co_await await_position(worker_, replica_, state_.token(), wait);
        if (!reached) {
            close_link(worker_, replica_);
        } else if (*reached) {
            co_return true;
        }
    }
    counters.own_writes_to_primary.add();
    co_return false;
}

// FOUND_ROWS(), SHOW WARNINGS …: nothing may come between it and the statement before.
runtime::Task<Ran> SessionServers::run_on_previous(Order order) {
    order.continuity = Continuity::statement_before;
    if (last_run_ == LastRun::primary) {
        co_return co_await run_on_primary(order);
    }
    if (!replica_.is_alive()) {
        ServerFailure failure = own_failure(
            mysql::kErrorServerLost,
            "trilith: the connection that ran the statement before is gone, and what it knew of it"
        );
        co_return co_await answer_failure(std::move(failure));
    }
    RelayOutcome outcome = co_await relay({
        .worker = worker_,
        .client = client_,
        .link = replica_,
        .state = nullptr,
        .effects = order.effects,
        .form = order.form,
    });
    if (outcome.link_must_close || outcome.end != RelayEnd::complete) {
        close_link(worker_, replica_);
    }
    bool is_lost = outcome.end == RelayEnd::server_lost && !outcome.has_given;
    if (is_lost) {
        ServerFailure failure = own_failure(mysql::kErrorServerLost, "trilith: " + outcome.sentence);
        co_return co_await answer_failure(std::move(failure));
    }
    co_return Ran{
        .session_ends = outcome.end != RelayEnd::complete || outcome.client_must_close,
        .is_done = !outcome.has_failed,
        .status = outcome.status,
    };
}

}  // namespace sql
