#include "sdk/database_session.h"

#include <chrono>
#include <format>
#include <string>
#include <utility>
#include <vector>

#include "core/panic.h"
#include "sdk/guard.h"

namespace trilith::sdk {

namespace {

using mariadb::OnInterrupt;
using mariadb::ServerFailure;

std::unexpected<ServerFailure> request_over() {
    return std::unexpected(ServerFailure{.kind = core::ErrorKind::cancelled, .message = "the request is over"}
    );
}

// Views of what the parameters have copied.
std::vector<mysql::StatementValue> values_of(const detail::Parameters& parameters) {
    std::vector<mysql::StatementValue> values;
    values.reserve(parameters.cells().size());
    for (const detail::Parameters::Kept& kept : parameters.cells()) {
        mysql::StatementValue value{.kind = static_cast<mysql::ValueKind>(kept.kind), .bits = kept.bits};
        if (kept.kind == detail::CellKind::text) {
            value.text = std::string_view(parameters.text()).substr(kept.bits, kept.length);
        }
        values.push_back(value);
    }
    return values;
}

mariadb::QueryBounds bounds_of(const DatabaseOptions& options) {
    return {.rows_max = options.rows_max, .bytes_max = static_cast<size_t>(options.bytes_max)};
}

// The server's own words, and not for want of a primary or a connection: behind it the connection is as it
// was. After another error the router does not know any more what the session has written, and could answer
// its next read by the primary alone.
bool is_refusal(const ServerFailure& failure) {
    return failure.is_from_server() && kind_of(failure) == DatabaseError::Kind::statement;
}

// The answer did not come whole, and more of it may: the connection cannot be lent again.
bool is_unanswered(const ServerFailure& failure) {
    bool is_over = failure.kind == core::ErrorKind::cancelled || failure.kind == core::ErrorKind::timed_out;
    return is_over && !failure.is_from_server();
}

bool is_broken(const ServerFailure& failure) {
    return failure.kind == core::ErrorKind::closed || failure.kind == core::ErrorKind::reset;
}

// Behind a statement that is sent as text: who looks at the server sees for which request it runs. An id is a
// token of HTTP (Exchange::id()), so it cannot end the comment.
std::string with_request(std::string_view text, Exchange& exchange) {
    return std::format("{} /* request={} */", text, exchange.id());
}

// Of prepared statements the server knows the text alone, whoever runs them: what took long, or was not
// waited for, is told here.
void tell_if_slow(
    Exchange& exchange,
    const DatabasePool& pool,
    const StatementCall& call,
    core::Instant began,
    const StatementOutcome& outcome
) {
    core::Duration took = pool.now() - began;
    bool is_given_up = !outcome && is_unanswered(outcome.error());
    if (took < pool.settings().options.slow_time && !is_given_up) {
        return;
    }
    exchange.log(
        std::format(
            "{} {} ms: {}",
            is_given_up ? "a statement was not waited for any longer, after" : "a slow statement took",
            std::chrono::duration_cast<std::chrono::milliseconds>(took).count(),
            call.text
        ),
        Level::warn
    );
}

enum class Repeat : uint8_t { no, once };

// After a failure that is not the server's own words.
void put_away(
    DatabasePool& pool,
    std::unique_ptr<PooledConnection> connection,
    const StatementCall& call,
    const ServerFailure& failure
) {
    if (!is_unanswered(failure)) {
        pool.drop(std::move(connection));
    } else if (call.on_interrupt == OnInterrupt::stop) {
        pool.kill(std::move(connection));
    } else {
        pool.finish(std::move(connection), call.deadline);
    }
}

}  // namespace

runtime::Task<StatementOutcome> run_alone(
    Exchange& exchange,
    const DatabaseSettings& settings,
    detail::SqlText sql,
    const detail::Parameters& parameters
) {
    bool may_begin = co_await exchange.begin_wait();
    if (!may_begin) {
        co_return request_over();
    }
    DatabasePool& pool = exchange.database(settings);
    std::vector<mysql::StatementValue> values = values_of(parameters);
    std::string position = sql.is_read ? exchange.own_writes().position(settings, exchange.request) : "";
    StatementCall call{
        .text = sql.text,
        .values = values,
        .position = position,
        .bounds = bounds_of(settings.options),
        .on_interrupt = sql.is_read ? OnInterrupt::stop : OnInterrupt::wait_on,
    };
    for (Repeat repeat = sql.is_read ? Repeat::once : Repeat::no;; repeat = Repeat::no) {
        auto taken = co_await pool.take(sql.is_read ? Use::read : Use::write);
        if (!taken) {
            exchange.end_wait();
            co_return std::unexpected(std::move(taken).error());
        }
        std::unique_ptr<PooledConnection> connection = *std::move(taken);
        bool was_used = connection->was_used;
        connection->has_written = connection->has_written || !sql.is_read;
        const core::Instant began = pool.now();
        call.deadline = began + settings.options.query_time;
        StatementOutcome outcome = co_await connection->run(call);
        exchange.end_wait();
        tell_if_slow(exchange, pool, call, began, outcome);
        if (outcome) {
            exchange.own_writes().note(settings, exchange.request, outcome->last_gtid);
        }
        if (outcome || is_refusal(outcome.error())) {
            pool.give_back(std::move(connection));
            co_return outcome;
        }
        bool may_repeat = repeat == Repeat::once && was_used && is_broken(outcome.error());
        put_away(pool, std::move(connection), call, outcome.error());
        if (!may_repeat || exchange.stopped() != Stopped::no) {
            co_return outcome;
        }
    }
}

DatabaseSession::~DatabaseSession() {
    if (connection_ != nullptr) {
        pool_.roll_back(std::move(connection_));
    }
}

runtime::Task<StatementOutcome> DatabaseSession::begin() {
    bool may_begin = co_await exchange_.begin_wait();
    if (!may_begin) {
        co_return request_over();
    }
    auto taken = co_await pool_.take(Use::write);
    if (!taken) {
        exchange_.end_wait();
        co_return std::unexpected(std::move(taken).error());
    }
    connection_ = *std::move(taken);
    connection_->has_written = true;
    core::Instant deadline = pool_.now() + pool_.settings().options.query_time;
    std::string text = with_request("START TRANSACTION", exchange_);
    StatementOutcome begun = co_await connection_->say(text, deadline, OnInterrupt::stop);
    exchange_.end_wait();
    if (!begun) {
        pool_.drop(std::move(connection_));
    }
    co_return begun;
}

runtime::Task<StatementOutcome> DatabaseSession::run(
    detail::SqlText sql,
    const detail::Parameters& parameters
) {
    bool may_begin = co_await exchange_.begin_wait();
    if (!may_begin) {
        co_return request_over();
    }
    const DatabaseOptions& options = pool_.settings().options;
    std::vector<mysql::StatementValue> values = values_of(parameters);
    StatementCall call{
        .text = sql.text,
        .values = values,
        .bounds = bounds_of(options),
        .deadline = pool_.now() + options.query_time,
    };
    const core::Instant began = pool_.now();
    StatementOutcome outcome = co_await connection_->run(call);
    exchange_.end_wait();
    tell_if_slow(exchange_, pool_, call, began, outcome);
    if (!outcome && !is_refusal(outcome.error())) {
        put_away(pool_, std::move(connection_), call, outcome.error());
    }
    co_return outcome;
}

runtime::Task<StatementOutcome> DatabaseSession::end(TransactionEnd how) {
    bool may_begin = co_await exchange_.begin_wait();
    if (!may_begin) {
        co_return request_over();
    }
    core::Instant deadline = pool_.now() + pool_.settings().options.commit_time;
    std::string text = with_request(how == TransactionEnd::commit ? "COMMIT" : "ROLLBACK", exchange_);
    const core::Instant began = pool_.now();
    StatementOutcome ended = co_await connection_->say(text, deadline, OnInterrupt::wait_on);
    exchange_.end_wait();
    tell_if_slow(exchange_, pool_, {.text = text}, began, ended);
    if (ended) {
        exchange_.own_writes().note(pool_.settings(), exchange_.request, ended->last_gtid);
        pool_.give_back(std::move(connection_));
    } else if (ended.error().is_from_server()) {
        // What became of the transaction is the server's to say; the connection's state is not known.
        pool_.drop(std::move(connection_));
    } else {
        StatementCall call{.on_interrupt = OnInterrupt::wait_on, .deadline = deadline};
        put_away(pool_, std::move(connection_), call, ended.error());
    }
    co_return ended;
}

}  // namespace trilith::sdk
