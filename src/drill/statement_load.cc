#include "drill/statement_load.h"

#include <algorithm>
#include <format>

#include "core/panic.h"
#include "drill/drill_table.h"

namespace drill {

namespace {

Outcome outcome_of(const mariadb::ServerFailure& failure) {
    if (failure.is_from_server()) {
        return Outcome::error;
    }
    switch (failure.kind) {
        case core::ErrorKind::refused: return Outcome::refused;
        case core::ErrorKind::timed_out: return Outcome::timed_out;
        case core::ErrorKind::invalid:
        case core::ErrorKind::too_large:
        case core::ErrorKind::unsupported: return Outcome::malformed;
        default: return Outcome::unanswered;
    }
}

}  // namespace

StatementLoad::StatementLoad(const World& world, Kind kind, size_t workers)
    : world_(world), kind_(kind), connections_(workers) {
    ASSERT(!world.places.empty() && (kind == Kind::write || kind == Kind::read));
}

runtime::Task<mariadb::ServerResult<void>> StatementLoad::open(size_t worker, core::Instant deadline) {
    Connection& connection = connections_[worker];
    if (connection && connection->socket().peek() != net::Peek::quiet) {
        connection.reset();  // it was closed while it was idle
    }
    if (!connection) {
        const DatabasePlace& place = world_.places[worker % world_.places.size()];
        auto opened = co_await open_connection(world_.reactor, world_.shared, place, deadline);
        if (!opened) {
            co_return std::unexpected(std::move(opened).error());
        }
        connection = *std::move(opened);
    }
    co_return mariadb::ServerResult<void>();
}

std::string StatementLoad::next_write() {
    WriteBook& book = world_.book;
    book.written.push_back({.id = book.written.size() + 1, .value = book.random.below(uint64_t{1} << 32)});
    const LedgerRow& row = book.written.back();
    return std::format("INSERT INTO trilith_drill (id, value) VALUES ({}, {})", row.id, row.value);
}

std::string StatementLoad::next_read() {
    const WriteBook& book = world_.book;
    uint64_t id = book.acknowledged.empty() ? kMarkerId : book.acknowledged.back().id;
    return std::format("SELECT COUNT(*) AS seen FROM trilith_drill WHERE id = {}", id);
}

runtime::Task<void> StatementLoad::work(size_t worker, Turn turn) {
    core::Instant deadline = turn.due + world_.timeout;
    Sample sample{.kind = kind_, .due = turn.due, .ended = {}};
    auto opened = co_await open(worker, deadline);
    std::optional<mariadb::ServerFailure> failure;
    if (!opened) {
        failure = std::move(opened).error();
    } else {
        std::string statement = kind_ == Kind::write ? next_write() : next_read();
        size_t place = world_.book.written.size();  // of this write, if it is one, behind its last
        auto answer = co_await connections_[worker]->query(std::move(statement), deadline);
        if (!answer) {
            failure = std::move(answer).error();
        } else if (kind_ == Kind::write) {
            world_.book.acknowledged.push_back(world_.book.written[place - 1]);
        }
    }
    if (failure) {
        sample.outcome = outcome_of(*failure);
        sample.code = failure->number;
        if (!failure->is_from_server()) {
            connections_[worker].reset();
        }
    }
    sample.ended = world_.reactor.now();
    add(sample);
}

void StatementLoad::give_up(Turn turn) {
    add({.kind = kind_, .outcome = Outcome::timed_out, .due = turn.due, .ended = world_.reactor.now()});
}

}  // namespace drill
