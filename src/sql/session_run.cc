// Running commands on the primary, and what becomes of them.
#include <utility>

#include "sql/reply.h"
#include "sql/session_servers.h"
#include "sql/worker.h"

namespace sql {

namespace {

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

}  // namespace

Repeat SessionServers::repeat_of(const StatementEffects& effects) const {
    if (holds_primary() || client_.command_size == 0) {
        return Repeat::never;
    }
    // What SET says to a session is gone with the connection, and is said again to another.
    return effects.is_read || effects.is_session_set ? Repeat::until_a_row : Repeat::if_refused_only;
}

// With autocommit off a statement that fails may have begun a transaction, and an ERR has no status flags.
bool SessionServers::must_settle_transaction(const RelayOutcome& outcome) const {
    return outcome.has_failed && !outcome.link_must_close && !state_.is_autocommit() &&
           !state_.is_in_transaction();
}

runtime::Task<void> SessionServers::settle_transaction(RelayOutcome& outcome) {
    auto status = co_await ask_status(worker_, *primary_.link);
    if (status) {
        state_.take_status(*status);
        co_return;
    }
    outcome.link_must_close = true;
    outcome.client_must_close = true;  // it may have lost a transaction
}

Ran SessionServers::note_ran(const RelayOutcome& outcome, const Order& order) {
    const StatementEffects& effects = order.effects;
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
    ServerLink& link = *primary_.link;
    note_statement(link, outcome, order);
    count_holds();
    if ((outcome.status & mysql::kStatusDatabaseDropped) != 0) {
        state_.select_database("");  // it dropped the schema that it stood in
    }
    note_told(link.told, state_.told());
    link.has_failed_set = link.has_failed_set || (outcome.has_failed && effects.verb == Verb::set);
    note_result(primary_, outcome, order);
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
        worker_.pool().give(primary_, tenure_after(primary_, outcome, effects));
    }
    return ran;
}

runtime::Task<Ran> SessionServers::run_on_primary(Order order) {
    core::Instant deadline = worker_.now() + worker_.config().hold;
    for (;;) {
        rewrite_ = {};
        answering_.reset();
        Ready ready = co_await ready_primary(order, deadline);
        if (!ready) {
            co_return co_await refuse_command(std::move(ready).error(), order);
        }
        bool had_hold = holds_primary();
        Ready fitted = co_await fit_statement(primary_, order);
        if (!fitted) {
            bool is_lost = !fitted.error().is_from_server();
            if (is_lost) {
                leave_primary();
            } else if (!holds_primary()) {
                worker_.pool().give(primary_, Tenure::soft);
            }
            bool may_repeat = is_lost && !had_hold && worker_.now() < deadline;
            if (may_repeat && co_await await_routing(deadline)) {
                continue;
            }
            ServerFailure failure = std::move(fitted).error();
            co_return co_await refuse_command(
                is_lost && had_hold ? lost_state(std::move(failure.message)) : std::move(failure),
                order
            );
        }
        gtid_before_ = state_.last_gtid();
        RelayOutcome outcome = co_await relay({
            .worker = worker_,
            .client = client_,
            .link = *primary_.link,
            .state = &state_,
            .effects = order.effects,
            .form = order.form,
            .repeat = repeat_of(order.effects),
            .rewrite = rewrite_.view(),
            .statement_id = order.use == nullptr ? 0 : order.use->id,
        });
        switch (outcome.end) {
            case RelayEnd::complete:
                if (must_settle_transaction(outcome)) {
                    co_await settle_transaction(outcome);
                }
                co_return note_ran(outcome, order);
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

// It was not sent to any server.
runtime::Task<Ran> SessionServers::refuse_command(ServerFailure failure, const Order& order) {
    if (order.form != mysql::ResponseForm::none) {
        co_return co_await answer_failure(std::move(failure));
    }
    client_.settle_command();  // nobody waits for an answer
    co_return Ran{.session_ends = failure.kind == core::ErrorKind::closed || client_.is_streaming};
}

runtime::Task<Ran> SessionServers::answer_failure(ServerFailure failure) {
    bool ends = failure.kind == core::ErrorKind::closed || client_.is_streaming;
    if (failure.kind == core::ErrorKind::cancelled) {
        co_return Ran{.session_ends = true};
    }
    client_.settle_command();
    uint8_t sequence = client_.is_streaming ? uint8_t{1} : client_.requests.next_sequence();
    failure = told_failure(std::move(failure));
    note_own_error(failure);
    bool is_told = co_await reply_error(worker_, client_, sequence, std::move(failure));
    co_return Ran{.session_ends = ends || !is_told};
}

}  // namespace sql
