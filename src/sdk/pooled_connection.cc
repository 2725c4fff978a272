#include "sdk/pooled_connection.h"

#include <algorithm>
#include <utility>

#include "core/panic.h"
#include "mysql/wire.h"

namespace trilith::sdk {

namespace {

using mariadb::ServerResult;
using mariadb::StatementResult;

void append_query(std::string& packets, std::string_view text) {
    mysql::PayloadWriter writer(packets);
    writer.begin_packet();
    writer.u8(static_cast<uint8_t>(mysql::Command::query));
    writer.bytes(text);
    static_cast<void>(writer.end_packet(0));
}

std::unexpected<mariadb::ServerFailure> refused(core::ErrorKind kind, std::string sentence) {
    return std::unexpected(mariadb::ServerFailure{.kind = kind, .message = std::move(sentence)});
}

}  // namespace

bool PooledConnection::is_quiet() {
    net::Socket& socket = server_->socket();
    return server_->buffer().is_empty() && (socket.is_quiet() || socket.peek() == net::Peek::quiet);
}

PooledConnection::Known* PooledConnection::find(std::string_view text) {
    // Most often the very same literal.
    auto is_it = [text](const Known& known) {
        return known.text.data() == text.data() || known.text == text;
    };
    auto found = std::ranges::find_if(known_, is_it);
    return found == known_.end() ? nullptr : &*found;
}

void PooledConnection::make_room() {
    if (known_.size() < std::max<size_t>(statements_max_, 1)) {
        return;
    }
    auto oldest = std::ranges::min_element(known_, {}, &Known::used);
    mysql::PayloadWriter writer(closes_);
    writer.begin_packet();
    writer.u8(static_cast<uint8_t>(mysql::Command::statement_close));
    writer.u32(oldest->id);
    static_cast<void>(writer.end_packet(0));
    known_.erase(oldest);
}

runtime::Task<ServerResult<uint32_t>> PooledConnection::prepare(const StatementCall& call) {
    make_room();
    ServerResult<mysql::PreparedStatement> prepared =
        co_await server_->prepare(std::exchange(closes_, {}), std::string(call.text), call.deadline);
    if (!prepared) {
        co_return std::unexpected(std::move(prepared).error());
    }
    known_.push_back({.text = call.text, .id = prepared->id});
    if (prepared->parameters != call.values.size()) {
        co_return refused(
            core::ErrorKind::unsupported,
            "the server counts other parameters than there are values"
        );
    }
    co_return prepared->id;
}

runtime::Task<ServerResult<StatementResult>> PooledConnection::run(const StatementCall& call) {
    if (mysql::execution_size(call.values) >= mysql::kPacketLengthMax) {
        co_return refused(core::ErrorKind::too_large, "values of 16 MiB and more");
    }
    Known* known = find(call.text);
    uint32_t id = 0;
    if (known != nullptr) {
        id = known->id;
        known->used = ++executions_;
    } else {
        ServerResult<uint32_t> prepared = co_await prepare(call);
        if (!prepared) {
            co_return std::unexpected(std::move(prepared).error());
        }
        id = *prepared;
        known_.back().used = ++executions_;
    }
    mariadb::StatementOrder order{
        .packets = std::exchange(closes_, {}),
        .bounds = call.bounds,
        .on_interrupt = call.on_interrupt,
    };
    if (!call.position.empty() && call.position != said_position_) {
        // Digits, "-" and "," alone.
        append_query(order.packets, "SET @trilith_token = '" + std::string(call.position) + "'");
        said_position_ = call.position;
        order.answers_before = 1;
    }
    mysql::PayloadWriter writer(order.packets);
    writer.begin_packet();
    mysql::write_execution(writer, id, call.values);
    static_cast<void>(writer.end_packet(0));
    ServerResult<StatementResult> result = co_await server_->run_statement(order, call.deadline);
    was_used = was_used || result || result.error().is_from_server();
    co_return result;
}

runtime::Task<ServerResult<StatementResult>> PooledConnection::say(
    std::string_view text,
    core::Instant deadline,
    mariadb::OnInterrupt on_interrupt
) {
    mariadb::StatementOrder order{
        .packets = std::exchange(closes_, {}),
        .bounds = {.rows_max = 0},
        .on_interrupt = on_interrupt,
    };
    append_query(order.packets, text);
    co_return co_await server_->run_statement(order, deadline);
}

}  // namespace trilith::sdk
