// The servers behind one session: at most one connection to the primary and one to a replica, opened when
// they are needed, kept as the session is; and the running of its commands there, with all that may go wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "runtime/event.h"
#include "runtime/task.h"
#include "sql/relay.h"
#include "sql/route.h"
#include "sql/server_link.h"
#include "sql/session_state.h"

namespace sql {

class Worker;

// What a command needs that only the connection of an earlier statement knows.
enum class Continuity : uint8_t {
    none,
    statement_before,  // its rows and warnings
    insert_before,     // the id that it gave
    all_before,        // both
};

// A command of the client, which lies in its buffer (relay.h).
struct Order {
    const StatementEffects& effects;
    mysql::ResponseForm form = mysql::ResponseForm::results;
    Continuity continuity = Continuity::none;
};

// What became of it. The client has its response, or was told why it has none.
struct Ran {
    bool session_ends = false;  // what the session is to the client cannot be kept
    bool is_done = false;       // it ran, and the response's last packet was no ERR
    uint16_t status = 0;        // of its last OK
    std::optional<mysql::PreparedStatement> prepared{};
};

class SessionServers {
public:
    SessionServers(Worker& worker, Client& client, runtime::Event& routing_changed)
        : worker_(worker), client_(client), routing_changed_(routing_changed) {}

    ~SessionServers();
    SessionServers(const SessionServers&) = delete;
    SessionServers& operator=(const SessionServers&) = delete;

    // After a login, or a change of user: leaves all servers and opens the first connection, to the primary
    // or, where there is none, to a replica; so the server itself judges account and schema. On success the
    // session's state is new. The value is the server's OK.
    [[nodiscard]] runtime::Task<ServerResult<mysql::OkPacket>> establish(
        Identity identity,
        std::string database
    );

    [[nodiscard]] runtime::Task<Ran> run(RoutePlan plan, Order order);
    [[nodiscard]] runtime::Task<Ran> run_on_primary(Order order);

    // COM_RESET_CONNECTION, and the session as it is then.
    [[nodiscard]] runtime::Task<Ran> reset(Order order);

    // COM_INIT_DB succeeded.
    void select_database(std::string_view name);

    [[nodiscard]] SessionState& state() { return state_; }
    [[nodiscard]] Identity& identity() { return identity_; }
    [[nodiscard]] SessionFacts facts() const;

    // The client has prepared statements, which are known by the primary's connection alone.
    void hold_prepared(bool has_prepared) { has_prepared_ = has_prepared; }

private:
    using Ready = ServerResult<void>;

    // session_servers.cc
    [[nodiscard]] bool holds_primary() const;
    [[nodiscard]] bool must_leave_primary(const Node* primary) const;
    void leave_primary();
    [[nodiscard]] std::optional<ServerFailure> what_is_lost(const Node* primary, Continuity continuity);
    runtime::Task<Ready> ready_primary(Continuity continuity, core::Instant deadline);
    runtime::Task<Ready> synchronise_primary();
    runtime::Task<bool> await_routing(core::Instant deadline);
    runtime::Task<Ran> answer_lost(RelayOutcome outcome, bool had_hold);
    runtime::Task<Ran> answer_failure(ServerFailure failure);
    [[nodiscard]] Ran note_ran(const RelayOutcome& outcome, const StatementEffects& effects);
    [[nodiscard]] Repeat repeat_of(const StatementEffects& effects) const;

    // session_reads.cc
    runtime::Task<std::optional<Ran>> try_replica(size_t node, RoutePlan plan, Order order);
    runtime::Task<Ran> run_on_previous(Order order);
    runtime::Task<bool> ready_replica(size_t node);
    runtime::Task<bool> has_own_writes();
    [[nodiscard]] std::optional<size_t> other_replica(size_t failed) const;

    enum class LastRun : uint8_t { primary, replica };

    Worker& worker_;
    Client& client_;
    runtime::Event& routing_changed_;
    Identity identity_{};
    SessionState state_{};
    ServerLink primary_{};
    ServerLink replica_{};
    LastRun last_run_ = LastRun::primary;
    bool has_prepared_ = false;
    bool has_lost_primary_ = false;  // and with its connection the id of the last insert
};

}  // namespace sql
