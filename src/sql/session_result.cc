// What the session's last statement left, wherever it is: ROW_COUNT(), FOUND_ROWS(), warnings and errors.
// Each has a place of its own, because statements without tables leave the warnings of those before.
#include <format>

#include "mysql/wire.h"
#include "sql/reply.h"
#include "sql/session_servers.h"
#include "sql/worker.h"

namespace sql {

namespace {

ServerFailure lost_result() {
    return own_failure(
        mysql::kErrorNotSupportedYet,
        "trilith: the connection that ran the statement before serves another session now, and it alone knew "
        "FOUND_ROWS(), ROW_COUNT() and the warnings of it: ask again right behind the statement, this "
        "session keeps its connection from now on"
    );
}

std::string query_packet(std::string_view text) {
    std::string packet;
    mysql::PayloadWriter writer(packet);
    writer.begin_packet();
    writer.u8(static_cast<uint8_t>(mysql::Command::query));
    writer.bytes(text);
    static_cast<void>(writer.end_packet(0));
    return packet;
}

// What a statement does to FOUND_ROWS() (seen of MariaDB 10.11).
enum class FoundRows : uint8_t { keeps, sets, may_set };

FoundRows found_rows_of(const Order& order) {
    const StatementEffects& effects = order.effects;
    FoundRows by_select = effects.has_select ? FoundRows::may_set : FoundRows::keeps;
    switch (effects.verb) {
        case Verb::select: return effects.has_select ? FoundRows::sets : FoundRows::may_set;  // VALUES (1)
        case Verb::begin:
        case Verb::commit:
        case Verb::rollback:
        case Verb::savepoint:
        case Verb::use: return FoundRows::keeps;
        case Verb::insert:
        case Verb::update:
        case Verb::delete_:
        case Verb::replace:
        case Verb::set:
        case Verb::do_: return by_select;
        case Verb::show:
            if (!order.continuity.of_messages) {
                return FoundRows::may_set;
            }
            return effects.has_select ? FoundRows::sets : FoundRows::keeps;  // SHOW COUNT(*) WARNINGS
        case Verb::prepare: {
            bool executes = order.use == nullptr;  // as text, or it is one of the protocol's own commands
            return executes ? FoundRows::may_set : FoundRows::keeps;
        }
        default: return FoundRows::may_set;
    }
}

}  // namespace

void RelayOutcome::note_result(const mysql::ResponseStep& step, uint64_t rows_so_far) {
    bool is_end_of_rows = static_cast<uint8_t>(step.payload.front()) == mysql::kEofByte;
    status = step.ok.status;
    has_warnings = has_warnings || step.ok.warnings > 0;
    row_count = is_end_of_rows ? -1 : static_cast<int64_t>(step.ok.affected_rows);
    rows = rows_so_far;
    ++results;
    // The end of rows need not tell it (INSERT … RETURNING).
    may_have_insert_id = may_have_insert_id || step.ok.last_insert_id != 0 || is_end_of_rows;
}

void SessionServers::forget_result() {
    row_count_at_ = {};
    found_rows_at_ = {};
    messages_at_ = {};
    own_error_.reset();
}

// The router has answered a command by itself that a server answers with an OK.
void SessionServers::note_own_ok() {
    previous_.row_count = 0;
    row_count_at_ = {};
}

// Or with an error, which is listed from now on.
void SessionServers::note_own_error(const ServerFailure& failure) {
    previous_.row_count = -1;
    row_count_at_ = {};
    messages_at_ = {};
    own_error_ = std::make_unique<ServerFailure>(failure);
}

bool SessionServers::is_asked_at(const Lease& lease, const Order& order) const {
    const Continuity& asked = order.continuity;
    return (asked.of_row_count && row_count_at_.is(lease)) ||
           (asked.of_found_rows && found_rows_at_.is(lease)) || (asked.of_messages && messages_at_.is(lease));
}

bool SessionServers::lists_messages(const Lease& lease) const {
    if (own_error_ != nullptr) {
        return false;
    }
    bool lists_nothing = lease.link != nullptr && !lease.link->has_messages;
    return messages_at_.is_nowhere() ? lists_nothing : messages_at_.is(lease);
}

// What the statement asks of an earlier one is not what the lease's connection would answer.
bool SessionServers::must_bridge(const Lease& lease, const Order& order) const {
    const Continuity& asked = order.continuity;
    // The router's own questions on the same connection change it.
    bool is_known = order.question && previous_.found_rows;
    return (asked.of_found_rows && (is_known || !found_rows_at_.is(lease))) ||
           (asked.of_row_count && !row_count_at_.is(lease)) || (asked.of_messages && !lists_messages(lease));
}

// Whether make_up_result() can make the lease's connection answer right, if it is ready for the statement.
bool SessionServers::can_make_up(const Lease& lease, const Order& order) const {
    const Continuity& asked = order.continuity;
    bool must_tell = asked.of_messages && !lists_messages(lease) && lease.link != nullptr;
    if (asked.of_found_rows && (must_tell || !found_rows_at_.is(lease))) {
        return false;
    }
    if (asked.of_messages && !messages_at_.is_nowhere() && !messages_at_.is(lease)) {
        return false;
    }
    return !asked.of_row_count || previous_.row_count <= 0 || (row_count_at_.is(lease) && !must_tell);
}

// What is asked is not known at the lease's connection, if it has one at all. What the router knows itself is
// answered by another statement in place of the client's.
std::optional<ServerFailure> SessionServers::bridge_result(const Lease& lease, Order& order) {
    asks_of_previous_ = true;
    std::optional<std::string> answering;
    if (order.question) {
        answering = answering_statement(*order.question, previous_);
    }
    if (!answering) {
        return can_make_up(lease, order) ? std::nullopt : std::optional(lost_result());
    }
    if (order.use != nullptr) {
        answering_ = make_prepared_text(*answering, state_.told(), {});
    } else {
        rewrite_ = {.bytes = query_packet(*answering), .replaced = CommandRewrite::kAll};
    }
    return std::nullopt;
}

// The lease's connection is ready for the statement: now it lists the session's warnings and no others, and
// its ROW_COUNT() is the session's. After a failure the connection must be closed.
runtime::Task<SessionServers::Ready> SessionServers::make_up_result(Lease& lease, const Order& order) {
    const Continuity& asked = order.continuity;
    bool is_answered = answering_ != nullptr || !rewrite_.bytes.empty();
    if (is_answered) {
        co_return Ready{};
    }
    if (asked.of_messages && !lists_messages(lease)) {
        Ready told = own_error_ != nullptr ? co_await tell_error(worker_, *lease.link, *own_error_)
                                           : co_await clear_messages(worker_, *lease.link);
        if (!told) {
            co_return told;
        }
        messages_at_ = own_error_ != nullptr ? ResultPlace(lease) : ResultPlace();
        own_error_.reset();
        disturb_result(lease);
    }
    if (asked.of_row_count && !row_count_at_.is(lease)) {
        Ready told = co_await tell_row_count(worker_, *lease.link, previous_.row_count);
        if (!told) {
            co_return told;
        }
        row_count_at_ = ResultPlace(lease);
    }
    co_return Ready{};
}

// The router has asked something of its own there, which leaves no warnings.
void SessionServers::disturb_result(const Lease& lease) {
    if (row_count_at_.is(lease)) {
        row_count_at_ = {};
    }
    if (found_rows_at_.is(lease)) {
        found_rows_at_ = ResultPlace::lost();
    }
}

// Makes the lease's connection, which is not ready, ready, and sees what the session loses by that.
runtime::Task<SessionServers::Ready> SessionServers::prepare(Lease& lease, Preparation wanted) {
    bool had_messages = lease.link->has_messages;
    bool asks_insert_id = lease.insert_id.where == InsertId::Where::link;
    Ready prepared = co_await worker_.pool().prepare(lease, wanted);
    if (!prepared) {
        co_return prepared;
    }
    if (asks_insert_id) {
        disturb_result(lease);
    } else if (row_count_at_.is(lease)) {
        row_count_at_ = {};  // what SET and USE leave
    }
    bool is_cleared = had_messages && !lease.link->has_messages;
    if (is_cleared && messages_at_.is(lease)) {
        messages_at_ = ResultPlace::lost();
    }
    co_return prepared;
}

Tenure SessionServers::tenure_after(
    const Lease& lease,
    const RelayOutcome& outcome,
    const StatementEffects& effects
) const {
    if (outcome.has_failed || outcome.has_warnings || effects.counts_found_rows) {
        return Tenure::hard;
    }
    return asks_of_previous_ || messages_at_.is(lease) ? Tenure::kept : Tenure::soft;
}

void SessionServers::note_messages(const Lease& lease, const RelayOutcome& outcome, TableUse tables) {
    ServerLink& link = *lease.link;
    if (outcome.has_failed || outcome.has_warnings) {
        link.has_messages = true;
        messages_at_ = ResultPlace(lease);
        own_error_.reset();
        return;
    }
    switch (tables) {
        case TableUse::none: return;
        case TableUse::unclear: {
            bool are_elsewhere = !messages_at_.is_nowhere() && !messages_at_.is(lease);
            if (are_elsewhere || own_error_ != nullptr) {
                messages_at_ = ResultPlace::lost();
            }
            break;
        }
        case TableUse::some:
            link.has_messages = false;
            messages_at_ = {};
            break;
    }
    own_error_.reset();
}

void SessionServers::note_result(const Lease& lease, const RelayOutcome& outcome, const Order& order) {
    const StatementEffects& effects = order.effects;
    const ResultPlace here(lease);
    note_messages(lease, outcome, effects.tables);
    if (outcome.has_failed || outcome.results > 0) {
        previous_.row_count = outcome.has_failed ? -1 : outcome.row_count;
        row_count_at_ = here;
    }
    FoundRows found_rows = found_rows_of(order);
    if (found_rows == FoundRows::keeps) {
        return;
    }
    if (outcome.has_failed) {
        found_rows = FoundRows::may_set;
    }
    previous_.found_rows.reset();
    bool opens_cursor = order.use != nullptr && order.use->head.opens_cursor;
    if (effects.tells_found_rows && outcome.results == 1 && !outcome.has_failed && !opens_cursor) {
        previous_.found_rows = outcome.rows;
    }
    // Where it may be kept, it is the session's only if it was before.
    if (found_rows == FoundRows::sets) {
        found_rows_at_ = here;
    } else if (!found_rows_at_.is(lease)) {
        found_rows_at_ = ResultPlace::lost();
    }
}

}  // namespace sql
