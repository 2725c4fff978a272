// Prepared statements of a session on whichever connection runs them.
#include <utility>

#include "mysql/wire.h"
#include "sql/reply.h"
#include "sql/session_servers.h"
#include "sql/worker.h"

namespace sql {

namespace {

constexpr size_t kIdAt = mysql::kPacketHeaderSize + 1;

// After a failure, which has no number, the connection must be closed: nobody knows how it is.
runtime::Task<ServerResult<void>> say_all(
    ServerLink& link,
    std::vector<std::string> statements,
    core::Instant deadline
) {
    std::vector<ServerCommand> commands;
    for (std::string& statement : statements) {
        commands.push_back({mysql::Command::query, std::move(statement)});
    }
    auto answers = co_await link.connection->run_all(std::move(commands), deadline);
    if (!answers) {
        co_return std::unexpected(std::move(answers).error());
    }
    for (const QueryAnswer& answer : *answers) {
        if (answer.failure) {
            co_return std::unexpected(ServerFailure{
                .kind = core::ErrorKind::invalid,
                .message = link.address.to_string() +
                           " refuses what the session had said: " + answer.failure->message,
            });
        }
    }
    co_return ServerResult<void>{};
}

}  // namespace

void SessionServers::hold_prepared(bool has_prepared) {
    has_prepared_ = has_prepared;
    count_holds();
    bool is_held = primary_.link != nullptr && primary_.link->is_used;
    if (is_held && !holds_primary()) {
        worker_.pool().give(primary_, Tenure::soft);
    }
}

// In the client's own buffer, where the id begins every command of a statement.
void SessionServers::write_statement_id(uint32_t id) {
    mysql::PayloadWriter(client_.buffer.mutable_bytes().subspan(kIdAt)).u32(id);
}

// Prepares it on the lease's connection. Names and quotes are read as they were when the client prepared it,
// whatever the session has said since. After a failure that is no error of the server, the connection must be
// closed.
runtime::Task<ServerResult<LinkStatement>> SessionServers::prepare_on(
    Lease& lease,
    const std::shared_ptr<const PreparedText>& prepared
) {
    ServerLink& link = *lease.link;
    core::Instant deadline = worker_.now() + worker_.config().timeouts.connect;
    uint16_t collation = class_->identity.collation;
    const ToldState& told = link.told;
    bool must_turn = !prepared->is_read_alike(told);
    if (must_turn) {
        Ready turned =
            co_await say_all(link, literal_statements(told, prepared->context, collation), deadline);
        if (!turned) {
            co_return std::unexpected(std::move(turned).error());
        }
    }
    auto made = co_await link.connection->prepare(link.statements.take_closing(), prepared->text, deadline);
    link.has_messages = link.has_messages || !made || made->warnings > 0;
    if (must_turn && (made || made.error().is_from_server())) {
        Ready turned =
            co_await say_all(link, literal_statements(prepared->context, told, collation), deadline);
        if (!turned) {
            co_return std::unexpected(std::move(turned).error());
        }
    }
    if (!made) {
        co_return std::unexpected(std::move(made).error());
    }
    worker_.counters().nodes[link.node].prepared.add();
    co_return LinkStatement{.prepared = prepared, .id = made->id};
}

// The statement on the lease's connection, prepared there if it was not yet.
runtime::Task<ServerResult<LinkStatement*>> SessionServers::statement_on(
    Lease& lease,
    const SessionStatement& statement
) {
    LinkStatement* known = lease.link->statements.find(*statement.prepared);
    // A client that never said types has none, whatever another said.
    bool is_usable = known != nullptr && (!statement.types.empty() || statement.parameters == 0 ||
                                          (known->types && known->types->empty()));
    if (is_usable) {
        co_return known;
    }
    auto made = co_await prepare_on(lease, statement.prepared);
    if (!made) {
        co_return std::unexpected(std::move(made).error());
    }
    co_return &lease.link->statements.add(*std::move(made), worker_.config().pool.prepared);
}

// From now on the session keeps its connection to the primary, which knows the statement.
runtime::Task<SessionServers::Ready> SessionServers::hold_statement(SessionStatement& statement) {
    if (statement.held) {
        has_prepared_ = true;
        co_return Ready{};
    }
    // Not one that was executed with other types: MariaDB 10.11 stores garbage where a parameter that was a
    // number comes in pieces.
    const LinkStatement* known = primary_.link->statements.find(*statement.prepared);
    if (known != nullptr && known->types == statement.types) {
        statement.held = primary_.link->statements.take(*statement.prepared)->id;
        statement.held_types = statement.types;
    } else {
        auto made = co_await prepare_on(primary_, statement.prepared);
        if (!made) {
            co_return std::unexpected(std::move(made).error());
        }
        statement.held = made->id;
        statement.held_types.clear();
    }
    has_prepared_ = true;
    co_return Ready{};
}

// Makes the command of a prepared statement one for the lease's connection. The failures are those of
// prepare_on().
runtime::Task<SessionServers::Ready> SessionServers::fit_statement(Lease& lease, const Order& order) {
    if (order.use == nullptr) {
        co_return Ready{};
    }
    StatementUse& use = *order.use;
    if (answering_ != nullptr) {
        auto answering = co_await prepare_on(lease, answering_);
        if (!answering) {
            co_return std::unexpected(std::move(answering).error());
        }
        write_statement_id(answering->id);
        lease.link->statements.close(answering->id);
        co_return Ready{};
    }
    SessionStatement& statement = use.statement;
    if (use.command == mysql::Command::statement_prepare) {
        rewrite_ = {.bytes = lease.link->statements.take_closing()};
        co_return Ready{};
    }
    if (use.must_hold || statement.held) {
        Ready held = co_await hold_statement(statement);
        if (!held) {
            co_return held;
        }
        write_statement_id(*statement.held);
        bool is_execution = use.command == mysql::Command::statement_execute ||
                            use.command == mysql::Command::statement_bulk_execute;
        if (!is_execution || std::exchange(statement.held_types, statement.types) == statement.types) {
            co_return Ready{};
        }
        co_return use.head.sends_types ? Ready{} : say_types(statement, use);
    }
    auto known = co_await statement_on(lease, statement);
    if (!known) {
        co_return std::unexpected(std::move(known).error());
    }
    LinkStatement& on_link = **known;
    write_statement_id(on_link.id);
    bool must_say_types = !use.head.sends_types && on_link.types != statement.types;
    on_link.types = statement.types;
    if (!must_say_types) {
        co_return Ready{};
    }
    Ready said = say_types(statement, use);
    if (!said) {
        on_link.types.reset();
    }
    co_return said;
}

// The types of the parameters, which the client does not repeat, go into its execution.
SessionServers::Ready SessionServers::say_types(const SessionStatement& statement, const StatementUse& use) {
    std::string_view command = client_.buffer.bytes();
    if (mysql::read_packet_header(command).length + statement.types.size() >= mysql::kPacketLengthMax) {
        return std::unexpected(own_failure(
            mysql::kErrorPacketTooLarge,
            "trilith: an execution of 16 MiB or more must say the types of its parameters, because another "
            "connection runs it than the one before"
        ));
    }
    rewrite_ = {
        .bytes = mysql::with_types(use.command, command, use.head, statement.types),
        .replaced = kIdAt + use.head.types_at,
    };
    return Ready{};
}

// What the connection knows now.
void SessionServers::note_statement(ServerLink& link, const RelayOutcome& outcome, const Order& order) {
    if (order.use == nullptr) {
        return;
    }
    SessionStatement& statement = order.use->statement;
    if (outcome.prepared) {
        statement.parameters = outcome.prepared->parameters;
        if (order.use->must_hold) {
            statement.held = outcome.prepared->id;
            has_prepared_ = true;
        } else {
            link.statements.add(
                {.prepared = statement.prepared, .id = outcome.prepared->id},
                worker_.config().pool.prepared
            );
        }
        return;
    }
    if (outcome.has_failed && !statement.held) {
        if (LinkStatement* known = link.statements.find(*statement.prepared)) {
            known->types.reset();  // it may have failed before it took them
        }
    }
}

}  // namespace sql
