// One connection to a database server, logged in as an account and shared by the sessions of that account:
// what it has been told, and what only it knows of the last statement.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>

#include "mysql/gtid.h"
#include "mysql/native_password.h"
#include "sql/carried_state.h"
#include "sql/pool_choice.h"
#include "sql/prepared_statements.h"
#include "sql/server_words.h"

namespace sql {

class Worker;
struct Lease;
struct PoolClass;

// Who a session is, and what was agreed on with its client: what a server connection cannot change after its
// login. Connection attributes are left out: the router says its own.
struct Identity {
    std::string user{};
    std::string account{};                    // "'app'@'10.0.%'": the account that was matched
    mysql::Capabilities capabilities = 0;     // of the client, without what is not offered
    uint16_t collation = 0;                   // what COM_RESET_CONNECTION goes back to
    std::optional<mysql::PasswordKey> key{};  // nothing: no password
    net::Address client{};                    // of the session that came last: the account fits it

    // They can share connections: key and client may be newer.
    [[nodiscard]] bool is_like(const Identity& other) const {
        return capabilities == other.capabilities && collation == other.collation && user == other.user &&
               account == other.account;
    }
};

// Without what changes nothing once the client is in.
[[nodiscard]] mysql::Capabilities shared_capabilities(mysql::Capabilities agreed);

struct ServerLink {
    using Owned = std::list<std::unique_ptr<ServerLink>>;
    using Listed = std::list<ServerLink*>;

    std::unique_ptr<ServerConnection> connection{};
    PoolClass* pool_class = nullptr;
    size_t node = 0;  // place in Routing::nodes
    net::Address address{};
    uint32_t generation = 0;
    ToldState told{};
    bool has_failed_set = false;    // a SET failed, perhaps half way: unsure for whoever takes it next
    bool is_unsure = false;         // a part of what it was told failed: only a reset makes `told` true again
    mysql::GtidPosition covered{};  // the server has applied this: it was waited for
    // What LAST_INSERT_ID() is here; nothing: it may have changed.
    std::optional<uint64_t> insert_id = 0;
    std::optional<mysql::Gtid> last_gtid{};  // @@last_gtid here
    LinkStatements statements{};
    bool has_messages = false;          // warnings or an error of some statement may still be listed
    bool has_foreign_messages = false;  // and of a session that has it no more
    Lease* lease = nullptr;             // whose statement ran here last, or runs
    Lease* asking = nullptr;            // the session that lost it, and wants to know its LAST_INSERT_ID()
    bool is_used = true;
    bool is_doomed = false;        // a KILL is on its way: closed as soon as its session gives it back
    Tenure tenure = Tenure::none;  // while it is not used
    core::Instant idle_since{};
    core::Instant opened_at{};
    Owned::iterator in_node{};    // for the pool
    Listed::iterator in_class{};  // for the pool

    // False when the server has closed it, or says something that nobody asked for. Asks the system.
    [[nodiscard]] bool is_alive() const;
};

// Connects to the node and logs in; what the router has to hear of the session is then reported by the
// server. Fails also where the server lacks a capability that was agreed on with the client, and with error
// 1045 where it takes another account than the one that the client was let in by. On success and failure the
// node's counters are kept, and a failure that is the node's is told to the watch.
[[nodiscard]] runtime::Task<ServerResult<std::unique_ptr<ServerLink>>> open_link(
    Worker& worker,
    const Identity& identity,
    std::string database,
    size_t node
);

// Closes it with COM_QUIT.
void close_link(Worker& worker, std::unique_ptr<ServerLink> link);

// What a connection is to be made ready for.
struct Preparation {
    const ToldState& state;
    std::optional<uint64_t> insert_id{};  // what LAST_INSERT_ID() is to be
    bool clears_gtid = false;             // @@last_gtid must not be another session's
    bool asks_insert_id = false;          // the session before wants to know its LAST_INSERT_ID()
};

// Nothing has to be said, or asked for another session.
[[nodiscard]] bool is_ready(const ServerLink& link, const Preparation& wanted);

// Says what is missing, all in one round trip. The value is the answer to `asks_insert_id`, nothing where it
// cannot be had. A failure with a number: the server refused something, and the link is unsure. After any
// other failure the link must be closed.
[[nodiscard]] runtime::Task<ServerResult<std::optional<uint64_t>>> prepare_link(
    Worker& worker,
    ServerLink& link,
    Preparation wanted
);

// COM_RESET_CONNECTION, and the session tracking that the router needs. After a failure the link must be
// closed.
[[nodiscard]] runtime::Task<ServerResult<void>> reset_link(Worker& worker, ServerLink& link);

// LAST_INSERT_ID() there is `insert_id` from now on. After a failure the link must be closed.
[[nodiscard]] runtime::Task<ServerResult<void>> tell_insert_id(
    Worker& worker,
    ServerLink& link,
    uint64_t insert_id
);

// Statements without tables leave the warnings of earlier ones listed; this one clears them.
inline constexpr std::string_view kClearing = "SELECT 1 FROM (SELECT 1) AS t";

// No warnings are listed there from now on; FOUND_ROWS() and ROW_COUNT() change. After a failure the link
// must be closed.
[[nodiscard]] runtime::Task<ServerResult<void>> clear_messages(Worker& worker, ServerLink& link);

// `error` is listed there from now on, as if the server had answered with it; ROW_COUNT() is -1. After a
// failure the link must be closed.
[[nodiscard]] runtime::Task<ServerResult<void>> tell_error(
    Worker& worker,
    ServerLink& link,
    const ServerFailure& error
);

// ROW_COUNT() there is `row_count` from now on, which is 0 or -1; nothing else changes. After a failure the
// link must be closed.
[[nodiscard]] runtime::Task<ServerResult<void>> tell_row_count(
    Worker& worker,
    ServerLink& link,
    int64_t row_count
);

// The session's status flags there; ROW_COUNT() is -1 from now on, as after an error. After a failure the
// link must be closed.
[[nodiscard]] runtime::Task<ServerResult<uint16_t>> ask_status(Worker& worker, ServerLink& link);

// Opens a connection to a node and logs in there as a session does, telling the server the client's address
// where it believes that.
[[nodiscard]] runtime::Task<ServerResult<std::unique_ptr<ServerConnection>>> log_in_as(
    Worker& worker,
    const Identity& identity,
    net::Address address,
    ServerLogin login
);

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
