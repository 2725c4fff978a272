#include "sql/reply.h"

#include "sql/relay.h"
#include "sql/worker.h"

namespace sql {

namespace {

runtime::Task<bool> send_packet(Worker& worker, Client& client, std::string packet) {
    core::Instant deadline = worker.now() + worker.config().timeouts.body;
    ssize_t sent = co_await client.socket.send(worker.buffers(), packet, deadline);
    co_return sent >= 0;
}

}  // namespace

ServerFailure own_failure(uint16_t number, std::string message) {
    return {.kind = core::ErrorKind::io, .number = number, .message = std::move(message)};
}

ServerFailure lost_state(std::string message) {
    ServerFailure failure = own_failure(mysql::kErrorServerLost, std::move(message));
    failure.kind = core::ErrorKind::closed;
    return failure;
}

ServerFailure told_failure(ServerFailure failure) {
    if (failure.number == 0) {
        failure.number = mysql::kErrorServerLost;
        if (!failure.message.starts_with("trilith: ")) {
            failure.message = "trilith: " + failure.message;
        }
    }
    return failure;
}

runtime::Task<bool> reply_ok(Worker& worker, Client& client, uint8_t sequence, mysql::OkPacket ok) {
    std::string packet;
    mysql::PayloadWriter writer(packet);
    static_cast<void>(mysql::write_ok(writer, sequence, ok, client.capabilities));
    co_return co_await send_packet(worker, client, std::move(packet));
}

runtime::Task<bool> reply_error(
    Worker& worker,
    Client& client,
    uint8_t sequence,
    ServerFailure failure,
    mysql::ErrorForm form
) {
    std::string packet;
    mysql::PayloadWriter writer(packet);
    mysql::ErrorPacket error{
        .number = failure.number,
        .sqlstate = failure.sqlstate,
        .message = failure.message,
    };
    static_cast<void>(mysql::write_error(writer, sequence, error, form));
    co_return co_await send_packet(worker, client, std::move(packet));
}

}  // namespace sql
