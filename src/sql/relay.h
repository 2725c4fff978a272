// A client's command on its way to a server, and the response on its way back: streamed, bytes untouched
// where both sides agreed on the same, never more than a read buffer held.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mysql/request_reader.h"
#include "mysql/response_reader.h"
#include "net/read_buffer.h"
#include "net/socket.h"
#include "runtime/task.h"
#include "sql/server_link.h"
#include "sql/session_state.h"

namespace sql {

class Worker;

// A longer command is streamed: it is not looked at as a whole, and cannot be repeated.
inline constexpr size_t kHeldCommandMax = 32 << 10;

struct Client {
    Client(net::Socket accepted, net::SharedReadBuffer& shared, net::Address peer)
        : socket(std::move(accepted)), buffer(shared), address(std::move(peer)) {}

    net::Socket socket;
    net::ReadBuffer buffer;
    net::Address address;
    mysql::RequestReader requests{};
    mysql::Capabilities capabilities = 0;
    // Bytes of the command that lie whole at the beginning of the buffer; 0: it is streamed, or used up.
    size_t command_size = 0;
    ServerLink* running = nullptr;  // where its command runs now
    bool is_streaming = false;      // the command is too long to be held: it goes on behind the buffer

    // The command was given to a server, or answered, for good.
    void settle_command() { buffer.consume(std::exchange(command_size, 0)); }
};

enum class Repeat : uint8_t {
    never,
    until_a_row,      // a read: while no row was given to the client it may run elsewhere
    if_refused_only,  // a write: where the server refused it as read-only, it has done nothing
};

enum class RelayEnd : uint8_t {
    complete,     // the client has the whole response
    repeatable,   // nothing was given to the client, and the command still lies in its buffer
    server_lost,  // the server broke off, or broke the protocol: `sentence`; close the link
    client_gone,  // left, or broke the protocol: close the session
    stopped,      // our fiber is asked to end
};

struct RelayOutcome {
    RelayEnd end = RelayEnd::complete;
    bool has_failed = false;       // complete: its last packet was an ERR
    bool has_given = false;        // any byte of the response to the client
    bool link_must_close = false;  // the server is about to close it, or left bytes that belong to nothing
    bool has_warnings = false;     // a result of it
    int64_t row_count = -1;        // ROW_COUNT() behind it
    uint64_t rows = 0;             // of all results
    uint32_t results = 0;
    bool may_have_insert_id = false;  // LAST_INSERT_ID() may be another now
    bool client_must_close = false;   // the server took only a part of its command
    std::string sentence{};
    std::optional<ServerFailure> refusal{};  // repeatable: the server's ERR, if there was one
    uint16_t status = 0;                     // of the last OK
    std::optional<mysql::PreparedStatement> prepared{};

    // The end of one result; `rows_so_far` of all results.
    void note_result(const mysql::ResponseStep& step, uint64_t rows_so_far);
};

// What the server gets instead of the client's own bytes: `bytes` for the first `replaced` of the command,
// which must lie in the client's buffer.
struct CommandRewrite {
    static constexpr size_t kAll = SIZE_MAX;

    std::string_view bytes{};
    size_t replaced = 0;  // kAll: of a whole command
};

struct RelayOrder {
    Worker& worker;
    Client& client;
    ServerLink& link;
    SessionState* state;  // that the response tells of; null: of a replica's nothing is the session's
    const StatementEffects& effects;
    mysql::ResponseForm form = mysql::ResponseForm::results;
    Repeat repeat = Repeat::never;
    CommandRewrite rewrite{};
    // Of a PREPARE: the id that the client is told.
    uint32_t statement_id = 0;
};

// The command begins the client's buffer, whole (client.command_size, and client.requests has read it) or
// in part (command_size 0, and client.requests has begun).
[[nodiscard]] runtime::Task<RelayOutcome> relay(RelayOrder order);

}  // namespace sql
