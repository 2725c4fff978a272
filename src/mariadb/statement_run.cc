// Executions of prepared statements, and what is said before them in the same round trip.
#include "core/panic.h"
#include "mariadb/server_connection.h"
#include "mariadb/server_failure.h"
#include "mysql/wire.h"

namespace mariadb {

namespace {

// A packet up to here is read where it lies; of a longer one the payload is gathered.
constexpr size_t kReadInPlaceMax = 48 << 10;

std::string_view whole_packet(std::string_view bytes) {
    if (bytes.size() < mysql::kPacketHeaderSize) {
        return {};
    }
    size_t size = mysql::kPacketHeaderSize + mysql::read_packet_header(bytes).length;
    return bytes.size() < size ? std::string_view() : bytes.substr(0, size);
}

bool is_large(std::string_view bytes) {
    return bytes.size() >= mysql::kPacketHeaderSize &&
           mysql::read_packet_header(bytes).length > kReadInPlaceMax;
}

}  // namespace

runtime::Task<ServerResult<StatementResult>> ServerConnection::run_statement(
    const StatementOrder& order,
    core::Instant deadline
) {
    std::string operation = "a statement at " + peer_;
    ServerResult<void> sent = co_await send_all(order.packets, operation, deadline);
    if (!sent) {
        co_return std::unexpected(std::move(sent).error());
    }
    std::optional<ServerFailure> failed_before;
    for (size_t at = 0; at < order.answers_before; ++at) {
        ServerResult<StatementResult> before = co_await read_result(order, operation, deadline);
        if (!before && !before.error().is_from_server()) {
            co_return before;
        }
        if (!before && !failed_before) {
            failed_before = std::move(before).error();
        }
    }
    ServerResult<StatementResult> result = co_await read_result(order, operation, deadline);
    bool is_in_step = result || result.error().is_from_server();
    if (is_in_step && failed_before) {
        co_return std::unexpected(*std::move(failed_before));
    }
    co_return result;
}

runtime::Task<ServerResult<StatementResult>> ServerConnection::read_result(
    const StatementOrder& order,
    const std::string& operation,
    core::Instant deadline
) {
    StatementReader reader(capabilities_, order.bounds);
    std::string gathered;
    for (uint8_t sequence = 1;; ++sequence) {
        std::string_view packet = whole_packet(buffer_.bytes());
        while (packet.empty() && gathered.empty()) {
            if (is_large(buffer_.bytes())) {
                ServerResult<std::string> large = co_await gather_packet(order, operation, deadline);
                if (!large) {
                    co_return std::unexpected(std::move(large).error());
                }
                gathered = *std::move(large);
                break;
            }
            ssize_t received = co_await receive_for(order, deadline);
            if (received <= 0) {
                co_return failed(received, operation);
            }
            packet = whole_packet(buffer_.bytes());
        }
        std::string_view bytes = gathered.empty() ? packet : std::string_view(gathered);
        if (mysql::read_packet_header(bytes).sequence != sequence) {
            co_return failed(core::ErrorKind::invalid, operation + ": a packet out of sequence");
        }
        QueryProgress progress = reader.read(bytes.substr(mysql::kPacketHeaderSize));
        buffer_.consume(gathered.empty() ? packet.size() : 0);
        gathered.clear();
        if (progress == QueryProgress::failed) {
            co_return failed(reader.failure().kind, operation + ": " + reader.failure().message);
        }
        if (progress == QueryProgress::complete) {
            co_return reader.take_result();
        }
    }
}

// The packet that begins in the buffer, with its header.
runtime::Task<ServerResult<std::string>> ServerConnection::gather_packet(
    const StatementOrder& order,
    const std::string& operation,
    core::Instant deadline
) {
    mysql::PacketHeader header = mysql::read_packet_header(buffer_.bytes());
    // One of the greatest length is continued by another.
    if (header.length > order.bounds.bytes_max || header.length == mysql::kPacketLengthMax) {
        co_return failed(core::ErrorKind::too_large, operation + ": a longer row than is taken");
    }
    size_t size = mysql::kPacketHeaderSize + header.length;
    std::string packet;
    for (;;) {
        std::string_view part = buffer_.bytes().substr(0, size - packet.size());
        packet += part;
        buffer_.consume(part.size());
        if (packet.size() == size) {
            co_return packet;
        }
        ssize_t received = co_await receive_for(order, deadline);
        if (received <= 0) {
            co_return failed(received, operation);
        }
    }
}

runtime::Task<ssize_t> ServerConnection::receive_for(const StatementOrder& order, core::Instant deadline) {
    runtime::Fiber& fiber = co_await runtime::CurrentFiber{};
    for (;;) {
        ssize_t received = co_await socket_.receive(buffer_, deadline);
        bool must_wait_on = order.on_interrupt == OnInterrupt::wait_on && !fiber.is_stopped;
        if (received != -ECANCELED || !must_wait_on) {
            co_return received;
        }
    }
}

}  // namespace mariadb
