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

// Kind `closed` makes answer_failure() end the session.
ServerFailure lost_state(std::string message) {
    ServerFailure failure = own_failure(mysql::kErrorServerLost, std::move(message));
    failure.kind = core::ErrorKind::closed;
    return failure;
}

}  // namespace

SessionServers::~SessionServers() {
    close_link(worker_, primary_);
    close_link(worker_, replica_);
}

runtime::Task<bool> SessionServers::await_routing(core::Instant deadline) {
    core::Instant look = std::min(deadline, worker_.now() + kPrimaryLook);
    auto outcome = co_await routing_changed_.wait(look);
    runtime::Fiber& fiber = co_await runtime::CurrentFiber{};
    co_return outcome != runtime::Outcome::cancelled || !fiber.is_stopped;
}

runtime::Task<ServerResult<mysql::OkPacket>> SessionServers::establish(
    Identity identity,
    std::string database
) {
    close_link(worker_, primary_);
    close_link(worker_, replica_);
    identity_ = std::move(identity);
    has_prepared_ = false;
    has_lost_primary_ = false;
    core::Instant deadline = worker_.now() + worker_.shared().config.hold;
    std::optional<ServerFailure> last;
    for (;;) {
        std::shared_ptr<const Routing> routing = worker_.routing();
        if (std::optional<size_t> node = first_node(*routing)) {
            ServerLink& link = routing->primary ? primary_ : replica_;
            Ready opened = co_await open_link(worker_, link, identity_, database, *node);
            if (opened) {
                mysql::OkPacket ok{.status = link.connection->login_status()};
                ok.session_track = link.connection->login_track();
                state_.begin(std::move(database), mysql::text_encoding_of_collation(identity_.collation), ok);
                last_run_ = routing->primary ? LastRun::primary : LastRun::replica;
                co_return ok;
            }
            close_link(worker_, link);
            if (opened.error().is_from_server() || opened.error().kind == core::ErrorKind::unsupported) {
                co_return std::unexpected(
                    explain_refusal(std::move(opened).error(), routing->nodes[*node].address)
                );
            }
            last = std::move(opened).error();
        }
        bool goes_on = co_await await_routing(deadline);
        if (!goes_on || worker_.now() >= deadline) {
            co_return std::unexpected(no_primary(*worker_.routing(), last));
        }
    }
}

void SessionServers::select_database(std::string_view name) {
    state_.select_database(name);
    primary_.database = name;
}

SessionFacts SessionServers::facts() const {
    return {
        .is_in_transaction = state_.is_in_transaction(),
        .is_autocommit = state_.is_autocommit(),
        .pins = state_.pins(),
        .database = state_.database(),
        .replica = replica_.is_open() ? std::optional(replica_.node) : std::nullopt,
    };
}

bool SessionServers::holds_primary() const {
    return has_prepared_ || state_.is_in_transaction() || !state_.pins().is_empty();
}

bool SessionServers::must_leave_primary(const Node* primary) const {
    bool is_another = primary != nullptr &&
                      (primary->address != primary_.address || primary->generation != primary_.generation);
    return is_another || !primary_.is_alive();
}

void SessionServers::leave_primary() {
    close_link(worker_, primary_);
    state_.note_primary_lost();
    has_lost_primary_ = true;
}

// What the primary is told here was told to it by the client before, but for a connection that is new.
runtime::Task<SessionServers::Ready> SessionServers::synchronise_primary() {
    Ready told = co_await bring_up_to_date(worker_, primary_, state_);
    if (!told) {
        close_link(worker_, primary_);
    }
    co_return told;
}

// Leaves a connection that must not be used any more; a failure where more is lost than the connection.
std::optional<ServerFailure> SessionServers::what_is_lost(const Node* primary, Continuity continuity) {
    bool is_gone = primary_.is_open() ? must_leave_primary(primary) : holds_primary();
    if (is_gone && holds_primary()) {
        return lost_state(
            "trilith: the connection to the primary is gone, and with it the transaction, the prepared "
            "statements or what else only it had of this session: connect anew and begin it again"
        );
    }
    if (is_gone) {
        leave_primary();
    }
    if (continuity == Continuity::all_before && last_run_ == LastRun::replica) {
        return own_failure(
            mysql::kErrorNotSupportedYet,
            "trilith: the statement before ran on a replica, which alone knows its FOUND_ROWS(), ROW_COUNT() "
            "and "
            "warnings: ask for them in a SELECT of their own, without LAST_INSERT_ID()"
        );
    }
    bool is_new = continuity != Continuity::statement_before || !primary_.is_open();
    if (continuity != Continuity::none && has_lost_primary_ && is_new) {
        return own_failure(
            mysql::kErrorServerLost,
            "trilith: the connection that ran the statement before is gone, and what it knew of it"
        );
    }
    return std::nullopt;
}

runtime::Task<SessionServers::Ready> SessionServers::ready_primary(
    Continuity continuity,
    core::Instant deadline
) {
    std::optional<ServerFailure> last;
    bool is_counted = false;
    for (;;) {
        std::shared_ptr<const Routing> routing = worker_.routing();
        const Node* primary = routing->primary_node();
        if (auto lost = what_is_lost(primary, continuity)) {
            co_return std::unexpected(*std::move(lost));
        }
        if (primary != nullptr && !primary_.is_open()) {
            Ready opened =
                co_await open_link(worker_, primary_, identity_, state_.database(), *routing->primary);
            if (!opened) {
                close_link(worker_, primary_);
                if (opened.error().is_from_server()) {
                    co_return std::unexpected(explain_refusal(std::move(opened).error(), primary->address));
                }
                last = std::move(opened).error();
            }
        }
        if (primary != nullptr && primary_.is_open()) {
            Ready told = co_await synchronise_primary();
            if (told || told.error().is_from_server()) {
                co_return told;
            }
            last = std::move(told).error();
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

Ran SessionServers::note_ran(const RelayOutcome& outcome, const StatementEffects& effects) {
    last_run_ = LastRun::primary;
    PinSet before = state_.pins();
    if (outcome.has_failed) {
        state_.note_error(effects);
    } else {
        state_.note_success(effects);
        has_lost_primary_ = has_lost_primary_ && effects.is_read;
    }
    for (size_t pin = 0; pin < kPinCount; ++pin) {
        if (state_.pins().has(static_cast<Pin>(pin)) && !before.has(static_cast<Pin>(pin))) {
            worker_.counters().pinned[pin].add();
        }
    }
    primary_.applied = state_.serial();
    primary_.database = state_.database();
    primary_.is_autocommit = state_.is_autocommit();
    if (outcome.link_must_close && !holds_primary()) {
        leave_primary();
    }
    return {
        .session_ends = outcome.client_must_close || (outcome.link_must_close && holds_primary()),
        .is_done = !outcome.has_failed,
        .status = outcome.status,
        .prepared = outcome.prepared,
    };
}

runtime::Task<Ran> SessionServers::run_on_primary(Order order) {
    core::Instant deadline = worker_.now() + worker_.shared().config.hold;
    for (;;) {
        Ready ready = co_await ready_primary(order.continuity, deadline);
        if (!ready && order.form == mysql::ResponseForm::none) {
            client_.settle_command();  // nobody waits for an answer
            bool is_lost = ready.error().kind == core::ErrorKind::closed || client_.is_streaming;
            co_return Ran{.session_ends = is_lost};
        }
        if (!ready) {
            co_return co_await answer_failure(std::move(ready).error());
        }
        bool had_hold = holds_primary();
        RelayOutcome outcome = co_await relay({
            .worker = worker_,
            .client = client_,
            .link = primary_,
            .state = &state_,
            .effects = order.effects,
            .form = order.form,
            .repeat = repeat_of(order.effects),
        });
        switch (outcome.end) {
            case RelayEnd::complete: co_return note_ran(outcome, order.effects);
            case RelayEnd::client_gone:
            case RelayEnd::stopped: leave_primary(); co_return Ran{.session_ends = true};
            case RelayEnd::server_lost: co_return co_await answer_lost(std::move(outcome), had_hold);
            case RelayEnd::repeatable: break;
        }
        worker_.counters().repeated.add();
        worker_.shared().watch.on_node_failure(primary_.address);
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
    std::string server = primary_.address.to_string();
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

runtime::Task<Ran> SessionServers::reset(Order order) {
    // What would be lost with the primary is given up here.
    close_link(worker_, replica_);
    has_prepared_ = false;
    if (!primary_.is_open() || must_leave_primary(worker_.routing()->primary_node())) {
        state_.reset({.status = mysql::kStatusAutocommit});
        leave_primary();
    }
    Ran ran = co_await run_on_primary(order);
    if (!ran.is_done || ran.session_ends) {
        co_return ran;
    }
    state_.reset({.status = ran.status});
    Ready told = co_await ask_for_tracking(worker_, primary_);
    if (told) {
        primary_.applied = state_.serial();
        primary_.is_autocommit = state_.is_autocommit();
    } else {
        leave_primary();
    }
    has_lost_primary_ = false;
    co_return ran;
}

}  // namespace sql
