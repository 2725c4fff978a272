// Commands of our own on a connection that is logged in.
#include <array>
#include <utility>

#include "mariadb/server_connection.h"
#include "mariadb/server_failure.h"
#include "mysql/response_reader.h"
#include "mysql/wire.h"

namespace mariadb {

namespace {

constexpr size_t kSentAtOnceMax = 32 << 10;

}  // namespace

runtime::Task<ServerResult<size_t>> ServerConnection::receive_packet(
    const std::string& operation,
    uint8_t& sequence,
    core::Instant deadline
) {
    for (;;) {
        std::string_view bytes = buffer_.bytes();
        if (bytes.size() >= mysql::kPacketHeaderSize) {
            mysql::PacketHeader header = mysql::read_packet_header(bytes);
            if (header.length > kPacketMax) {
                co_return failed(core::ErrorKind::too_large, operation + ": a packet over 48 KiB");
            }
            if (header.sequence != sequence) {
                co_return failed(core::ErrorKind::invalid, operation + ": a packet out of sequence");
            }
            if (bytes.size() >= mysql::kPacketHeaderSize + header.length) {
                ++sequence;
                co_return size_t{header.length};
            }
        }
        ssize_t received = co_await socket_.receive(buffer_, deadline);
        if (received <= 0) {
            co_return failed(received, operation);
        }
    }
}

runtime::Task<ServerResult<QueryAnswer>> ServerConnection::query(
    std::string text,
    core::Instant deadline,
    QueryBounds bounds
) {
    std::vector<ServerCommand> commands;
    commands.push_back({mysql::Command::query, std::move(text)});
    auto answers = co_await run_all(std::move(commands), deadline, bounds);
    if (!answers) {
        co_return std::unexpected(std::move(answers).error());
    }
    QueryAnswer& answer = answers->front();
    if (answer.failure && answer.results.empty()) {
        co_return std::unexpected(*std::move(answer.failure));
    }
    co_return std::move(answer);
}

runtime::Task<ServerResult<std::vector<QueryAnswer>>> ServerConnection::run_all(
    std::vector<ServerCommand> commands,
    core::Instant deadline,
    QueryBounds bounds
) {
    std::string packets;
    mysql::PayloadWriter writer(packets);
    for (const ServerCommand& command : commands) {
        writer.begin_packet();
        writer.u8(static_cast<uint8_t>(command.command));
        writer.bytes(command.text);
        static_cast<void>(writer.end_packet(0));
    }
    std::string operation = "a question to " + peer_;
    ServerResult<void> sent = co_await send_all(packets, operation, deadline);
    if (!sent) {
        co_return std::unexpected(std::move(sent).error());
    }
    std::vector<QueryAnswer> answers;
    for (size_t at = 0; at < commands.size(); ++at) {
        ServerResult<QueryAnswer> answer = co_await read_answer(operation, deadline, bounds);
        if (!answer) {
            co_return std::unexpected(std::move(answer).error());
        }
        answers.push_back(*std::move(answer));
    }
    co_return answers;
}

runtime::Task<ServerResult<void>> ServerConnection::send_all(
    std::string_view packets,
    const std::string& operation,
    core::Instant deadline
) {
    for (std::string_view rest = packets; !rest.empty();) {
        std::string_view piece = rest.substr(0, kSentAtOnceMax);
        ssize_t sent = co_await socket_.send(shared_.pool(), piece, deadline);
        if (sent < 0) {
            co_return failed(sent, operation);
        }
        rest.remove_prefix(piece.size());
    }
    co_return ServerResult<void>{};
}

runtime::Task<ServerResult<mysql::PreparedStatement>> ServerConnection::prepare(
    std::string before,
    const std::string& text,
    core::Instant deadline
) {
    std::string packets = std::move(before);
    mysql::PayloadWriter writer(packets);
    writer.begin_packet();
    writer.u8(static_cast<uint8_t>(mysql::Command::statement_prepare));
    writer.bytes(text);
    static_cast<void>(writer.end_packet(0));
    std::string operation = "preparing a statement at " + peer_;
    ServerResult<void> sent = co_await send_all(packets, operation, deadline);
    if (!sent) {
        co_return std::unexpected(std::move(sent).error());
    }
    mysql::ResponseReader reader({.form = mysql::ResponseForm::prepared, .capabilities = capabilities_});
    mysql::PreparedStatement prepared;
    for (;;) {
        mysql::ResponseStep step = reader.read(buffer_.bytes());
        if (step.event == mysql::ResponseEvent::failed) {
            co_return failed(core::ErrorKind::invalid, operation + ": " + std::string(step.reason));
        }
        if (step.event == mysql::ResponseEvent::error) {
            ServerFailure failure = failure_of(step.error);
            buffer_.consume(step.consumed);
            co_return std::unexpected(std::move(failure));
        }
        if (step.event == mysql::ResponseEvent::prepared) {
            prepared = step.prepared;
        }
        buffer_.consume(step.consumed);
        if (step.is_complete) {
            co_return prepared;
        }
        if (step.event == mysql::ResponseEvent::more_bytes) {
            ssize_t received = co_await socket_.receive(buffer_, deadline);
            if (received <= 0) {
                co_return failed(received, operation);
            }
        }
    }
}

runtime::Task<ServerResult<QueryAnswer>> ServerConnection::read_answer(
    const std::string& operation,
    core::Instant deadline,
    QueryBounds bounds
) {
    QueryReader reader(capabilities_, bounds);
    uint8_t sequence = 1;
    for (;;) {
        ServerResult<size_t> size = co_await receive_packet(operation, sequence, deadline);
        if (!size) {
            co_return std::unexpected(std::move(size).error());
        }
        QueryProgress progress = reader.read(buffer_.bytes().substr(mysql::kPacketHeaderSize, *size));
        buffer_.consume(mysql::kPacketHeaderSize + *size);
        if (progress == QueryProgress::failed) {
            co_return failed(reader.failure().kind, operation + ": " + reader.failure().message);
        }
        if (progress == QueryProgress::complete) {
            co_return reader.take_answer();
        }
    }
}

void ServerConnection::quit() {
    constexpr std::string_view kQuit{"\x01\x00\x00\x00\x01", 5};
    iovec part{.iov_base = const_cast<char*>(kQuit.data()), .iov_len = kQuit.size()};
    // What it does not take at once it does not get: the connection is closed anyhow.
    [[maybe_unused]] ssize_t sent = socket_.try_send(std::span(&part, 1), 0);
}

}  // namespace mariadb
