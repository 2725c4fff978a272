// A session's connection to one database server, kept as the session is: opened as its account, and told
// what the session has set since.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "mysql/gtid.h"
#include "mysql/native_password.h"
#include "sql/server_connection.h"
#include "sql/session_state.h"

namespace sql {

class Worker;

// Who the session is, and what was agreed on with its client.
struct Identity {
    std::string user{};
    std::optional<mysql::PasswordKey> key{};  // nothing: no password
    mysql::Capabilities capabilities = 0;     // of the client, without what is not offered
    uint16_t collation = 0;
    std::string attributes{};  // connection attributes, as the client sent them
};

// A closed link has no connection.
struct ServerLink {
    std::unique_ptr<ServerConnection> connection{};
    size_t node = 0;  // place in Routing::nodes
    net::Address address{};
    uint32_t generation = 0;
    uint64_t applied = 0;    // the session's serial up to which the connection is as the session
    std::string database{};  // that is selected there
    bool is_autocommit = true;
    mysql::GtidPosition covered{};  // the server has applied this: it was waited for

    [[nodiscard]] bool is_open() const { return connection != nullptr; }

    // False when the server has closed it, or says something that nobody asked for. Asks the system.
    [[nodiscard]] bool is_alive() const;
};

// Connects to the node and logs in; what the router has to hear of the session is then reported by the
// server. Fails also where the server lacks a capability that was agreed on with the client. On success and
// failure the node's counters are kept, and a failure that is the node's is told to the watch.
[[nodiscard]] runtime::Task<ServerResult<void>> open_link(
    Worker& worker,
    ServerLink& link,
    const Identity& identity,
    std::string database,
    size_t node
);

// Closes it with COM_QUIT, if it is open.
void close_link(Worker& worker, ServerLink& link);

// Says to the server what the session has set since it was told last. `failed` with a number: the server
// refused it. After any failure the link must be closed.
[[nodiscard]] runtime::Task<ServerResult<void>> bring_up_to_date(
    Worker& worker,
    ServerLink& link,
    const SessionState& state
);

// The session tracking that the router needs, after the login and after COM_RESET_CONNECTION.
[[nodiscard]] runtime::Task<ServerResult<void>> ask_for_tracking(Worker& worker, ServerLink& link);

// Whether the replica has applied `position`, waiting for it up to `wait`. After a failure the link must be
// closed.
[[nodiscard]] runtime::Task<ServerResult<bool>> await_position(
    Worker& worker,
    ServerLink& link,
    mysql::GtidPosition position,
    core::Duration wait
);

// What the primary has written.
[[nodiscard]] runtime::Task<ServerResult<mysql::GtidPosition>> ask_position(Worker& worker, ServerLink& link);

}  // namespace sql
