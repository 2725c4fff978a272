// Packets that the router itself writes to a client.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mysql/ok_packet.h"
#include "runtime/task.h"
#include "sql/server_words.h"

namespace sql {

class Worker;
struct Client;

// An error of the router's own: `message` begins with "trilith: ".
[[nodiscard]] ServerFailure own_failure(uint16_t number, std::string message);

// What only a connection to a server knew of the session is gone: kind `closed`, which ends the session.
[[nodiscard]] ServerFailure lost_state(std::string message);

// What a client is told of a failure: the server's own words, or ours with "trilith: " in front.
[[nodiscard]] ServerFailure told_failure(ServerFailure failure);

// Each gives false when the client does not take it.
[[nodiscard]] runtime::Task<bool> reply_ok(
    Worker& worker,
    Client& client,
    uint8_t sequence,
    mysql::OkPacket ok
);
[[nodiscard]] runtime::Task<bool> reply_error(
    Worker& worker,
    Client& client,
    uint8_t sequence,
    ServerFailure failure,
    mysql::ErrorForm form = mysql::ErrorForm::with_sqlstate
);

}  // namespace sql
