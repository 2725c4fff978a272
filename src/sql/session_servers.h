// The servers behind one session: claims to at most one connection to the primary and one to a replica, which
// other sessions may take while it runs nothing there; and the running of its commands, with all that may go
// wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "mysql/execution.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "sql/continuity.h"
#include "sql/prepared_statements.h"
#include "sql/previous_result.h"
#include "sql/relay.h"
#include "sql/route.h"
#include "sql/server_pool.h"
#include "sql/session_state.h"

namespace sql {

class Worker;

// A command of a prepared statement.
struct StatementUse {
    mysql::Command command{};
    uint32_t id = 0;  // the client's
    // What it is of: of a PREPARE the statement that it makes, if it succeeds.
    SessionStatement& statement;
    mysql::ExecutionHead head{};  // of an execution
    bool must_hold = false;       // it leaves something at the server: the session keeps the connection
};

// A command of the client, which lies in its buffer (relay.h).
struct Order {
    const StatementEffects& effects;
    mysql::ResponseForm form = mysql::ResponseForm::results;
    Continuity continuity{};
    std::optional<PreviousQuestion> question{};         // all that the command asks; label as in its text
    std::optional<mysql::Capabilities> capabilities{};  // COM_SET_OPTION: what is agreed on if it succeeds
    StatementUse* use = nullptr;
};

// What became of it. The client has its response, or was told why it has none.
struct Ran {
    bool session_ends = false;  // what the session is to the client cannot be kept
    bool is_done = false;       // it ran, and the response's last packet was no ERR
    uint16_t status = 0;        // of its last OK
    std::optional<mysql::PreparedStatement> prepared{};
};

// A login that a server has taken: what to tell the client.
struct Established {
    uint16_t status = 0;
    std::string session_track{};
};

// Where something that a statement left is to be asked for: at the connection that the lease had then.
class ResultPlace {
public:
    ResultPlace() = default;  // nowhere

    explicit ResultPlace(const Lease& lease) : lease_(&lease), taken_(lease.taken) {}

    // Nobody knows it any more.
    [[nodiscard]] static ResultPlace lost() {
        ResultPlace place;
        place.taken_ = UINT64_MAX;
        return place;
    }

    [[nodiscard]] bool is_nowhere() const { return lease_ == nullptr && taken_ == 0; }

    // The lease has that connection still.
    [[nodiscard]] bool is(const Lease& lease) const {
        return lease_ == &lease && taken_ == lease.taken && lease.link != nullptr;
    }

private:
    const Lease* lease_ = nullptr;
    uint64_t taken_ = 0;
};

class SessionServers {
public:
    SessionServers(Worker& worker, Client& client, runtime::Event& routing_changed)
        : worker_(worker),
          client_(client),
          routing_changed_(routing_changed),
          primary_(routing_changed),
          replica_(routing_changed) {}

    ~SessionServers();
    SessionServers(const SessionServers&) = delete;
    SessionServers& operator=(const SessionServers&) = delete;

    // After a login, or a change of user: leaves all servers, and makes sure that the primary, or where there
    // is none a replica, takes account and schema: a connection that has both proves it. On success the
    // session's state is new.
    [[nodiscard]] runtime::Task<ServerResult<Established>> establish(Identity identity, std::string database);

    [[nodiscard]] runtime::Task<Ran> run(RoutePlan plan, Order order);
    [[nodiscard]] runtime::Task<Ran> run_on_primary(Order order);

    // Makes the session's token tell of all that it wrote, asking the primary where that is not known. False:
    // it cannot be known now.
    [[nodiscard]] runtime::Task<bool> settle_token();

    // COM_RESET_CONNECTION, and the session as it is then.
    [[nodiscard]] runtime::Task<Ran> reset();

    // A command was answered without a server, as one answers it: with an OK without rows, or an error.
    void note_own_ok();
    void note_own_error(const ServerFailure& failure);

    // The session ends: what it holds is given up, and its connections are the others'.
    [[nodiscard]] runtime::Task<void> leave();

    [[nodiscard]] SessionState& state() { return state_; }
    // After establish().
    [[nodiscard]] const Identity& identity() const { return class_->identity; }
    [[nodiscard]] SessionFacts facts() const;

    // "" before establish().
    [[nodiscard]] std::string_view user() const {
        return class_ == nullptr ? std::string_view() : std::string_view(class_->identity.user);
    }

    // Whether the client has prepared statements that the primary's connection alone knows.
    void hold_prepared(bool has_prepared);

private:
    using Ready = ServerResult<void>;

    // What the server gets instead of the beginning of the client's command (CommandRewrite).
    struct Rewrite {
        std::string bytes{};
        size_t replaced = 0;

        [[nodiscard]] CommandRewrite view() const { return {.bytes = bytes, .replaced = replaced}; }
    };

    // session_servers.cc
    runtime::Task<Ready> ready_primary(Order& order, core::Instant deadline);
    runtime::Task<Ready> try_primary(size_t node, Order& order, core::Instant deadline);
    runtime::Task<Ready> keep_held(Order& order, core::Instant deadline);
    runtime::Task<bool> await_routing(core::Instant deadline);

    // session_run.cc
    runtime::Task<Ran> answer_lost(RelayOutcome outcome, bool had_hold);
    runtime::Task<Ran> answer_failure(ServerFailure failure);
    runtime::Task<Ran> refuse_command(ServerFailure failure, const Order& order);
    [[nodiscard]] Ran note_ran(const RelayOutcome& outcome, const Order& order);
    [[nodiscard]] bool must_settle_transaction(const RelayOutcome& outcome) const;
    runtime::Task<void> settle_transaction(RelayOutcome& outcome);
    [[nodiscard]] Repeat repeat_of(const StatementEffects& effects) const;

    // session_prepared.cc
    runtime::Task<Ready> fit_statement(Lease& lease, const Order& order);
    runtime::Task<ServerResult<LinkStatement*>> statement_on(Lease& lease, const SessionStatement& statement);
    runtime::Task<ServerResult<LinkStatement>> prepare_on(
        Lease& lease,
        const std::shared_ptr<const PreparedText>& prepared
    );
    runtime::Task<Ready> hold_statement(SessionStatement& statement);
    void write_statement_id(uint32_t id);
    [[nodiscard]] Ready say_types(const SessionStatement& statement, const StatementUse& use);
    void note_statement(ServerLink& link, const RelayOutcome& outcome, const Order& order);

    // session_lease.cc
    [[nodiscard]] bool holds_primary() const;
    runtime::Task<Ready> take(Lease& lease, size_t node, const ToldState& state);
    runtime::Task<ServerResult<Established>> introduce(size_t node, const std::string& database);
    [[nodiscard]] Established established(uint16_t status, const std::string& database);
    runtime::Task<std::optional<uint64_t>> known_insert_id(core::Instant deadline);
    void leave_primary();
    void note_insert_id(const RelayOutcome& outcome, const Order& order);
    void change_capabilities(mysql::Capabilities capabilities);
    void count_holds();

    // session_result.cc
    void forget_result();
    [[nodiscard]] bool is_asked_at(const Lease& lease, const Order& order) const;
    [[nodiscard]] bool lists_messages(const Lease& lease) const;
    [[nodiscard]] bool must_bridge(const Lease& lease, const Order& order) const;
    [[nodiscard]] bool can_make_up(const Lease& lease, const Order& order) const;
    [[nodiscard]] std::optional<ServerFailure> bridge_result(const Lease& lease, Order& order);
    runtime::Task<Ready> make_up_result(Lease& lease, const Order& order);
    void disturb_result(const Lease& lease);
    runtime::Task<Ready> prepare(Lease& lease, Preparation wanted);
    [[nodiscard]] Tenure tenure_after(
        const Lease& lease,
        const RelayOutcome& outcome,
        const StatementEffects& effects
    ) const;
    void note_messages(const Lease& lease, const RelayOutcome& outcome, TableUse tables);
    void note_result(const Lease& lease, const RelayOutcome& outcome, const Order& order);

    // session_reads.cc
    runtime::Task<std::optional<Ran>> try_replica(size_t node, RoutePlan plan, Order order);
    [[nodiscard]] Ran note_read(const RelayOutcome& outcome, const Order& order);
    runtime::Task<Ran> run_on_previous(Order order);
    runtime::Task<Ready> ready_replica(size_t node);
    runtime::Task<bool> has_own_writes();
    [[nodiscard]] std::optional<size_t> other_replica(size_t failed) const;

    Worker& worker_;
    Client& client_;
    runtime::Event& routing_changed_;
    PoolClass* class_ = nullptr;
    SessionState state_{};
    Lease primary_;
    Lease replica_;
    PreviousResult previous_{};
    ResultPlace row_count_at_{};   // nowhere: `previous_` alone knows it
    ResultPlace found_rows_at_{};  // the same
    ResultPlace messages_at_{};    // nowhere: none are listed, or `own_error_`
    std::unique_ptr<ServerFailure> own_error_{};
    std::optional<size_t> replica_node_{};  // where it reads, while that is fit …
    uint64_t replica_shares_ = 0;           // … and Routing::shares is still this
    Rewrite rewrite_{};                     // of the command that runs
    // What is executed in place of the client's statement, because it answers its question.
    std::shared_ptr<const PreparedText> answering_{};
    std::optional<mysql::Gtid> gtid_before_{};  // of the statement that runs
    PinSet counted_pins_{};
    uint16_t login_status_ = mysql::kStatusAutocommit;
    bool has_prepared_ = false;
    bool has_counted_prepared_ = false;
    bool asks_of_previous_ = false;  // it has asked for what its connection alone knows
};

}  // namespace sql
