// One client of the router, from its greeting to its end: takes its commands one by one and has each run
// where it belongs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "mysql/request_reader.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "sql/relay.h"
#include "sql/session_kill.h"
#include "sql/session_servers.h"

namespace sql {

class Worker;

class ClientSession {
public:
    ClientSession(Worker& worker, net::Socket socket, net::Address peer);
    ~ClientSession();
    ClientSession(const ClientSession&) = delete;
    ClientSession& operator=(const ClientSession&) = delete;

    // Until the client leaves, or is refused or cut.
    [[nodiscard]] runtime::Task<void> serve();

    // From the worker: it has new routing; it drains.
    void on_routing() { routing_changed_.set(); }
    void on_drain();

    // For KILL.
    [[nodiscard]] uint32_t id() const { return id_; }
    // Of a session that is logged in; before that "".
    [[nodiscard]] std::string_view user() const { return servers_.user(); }
    // Where a statement of the client runs; null: nowhere.
    [[nodiscard]] ServerLink* running_link() const { return client_.running; }
    // Ends it in the next turn, whatever it does.
    void end() { fiber_->request_stop(); }

private:
    friend class Worker;  // its list of sessions

    enum class Next : uint8_t { goes_on, ends };

    // client_session.cc
    // Not inlined: their frames would be a part of the one that an idle session keeps.
    [[gnu::noinline]] runtime::Task<bool> establish();
    [[gnu::noinline]] runtime::Task<Next> serve_command();
    [[gnu::noinline]] runtime::Task<void> leave();
    runtime::Task<bool> await_command();
    runtime::Task<Next> dispatch();
    runtime::Task<Next> run_query();
    runtime::Task<Next> take_token(StatementEffects effects);
    runtime::Task<Next> answer_ok();
    runtime::Task<Next> refuse(uint16_t error, std::string message);
    [[nodiscard]] bool may_stop() const;
    [[nodiscard]] static Next next_of(const Ran& ran);

    // session_commands.cc: commands other than COM_QUERY
    runtime::Task<Next> answer_ping();
    runtime::Task<Next> run_simple(StatementEffects effects, mysql::ResponseForm form);
    runtime::Task<Next> init_database();
    runtime::Task<Next> switch_option();
    runtime::Task<Next> reset_session();
    runtime::Task<Next> become_another();
    runtime::Task<Next> remain_who_it_was();
    runtime::Task<Next> kill_process();
    runtime::Task<Next> kill(KillOrder order);

    // session_execution.cc: prepared statements
    runtime::Task<Next> prepare();
    runtime::Task<Next> use_prepared();
    runtime::Task<Next> execute(uint32_t id, SessionStatement& statement);
    runtime::Task<Next> refuse_execution(uint16_t parameters);
    runtime::Task<Next> run_statement(StatementUse use);
    runtime::Task<Next> drop_command();
    runtime::Task<bool> receive_beginning(size_t count);
    [[nodiscard]] RoutePlan plan_of(const PreparedText& prepared);
    void forget_prepared();

    // The command's payload behind its first byte, as far as it is held. Valid until the task suspends.
    [[nodiscard]] std::string_view payload() const;

    Worker& worker_;
    Client client_;
    runtime::Event routing_changed_;
    SessionServers servers_;
    uint32_t id_;
    mysql::Nonce nonce_{};        // of the last login, which the answer to a change of user is made with
    uint8_t failed_changes_ = 0;  // of user
    runtime::Fiber* fiber_ = nullptr;
    bool is_idle_ = false;  // waits for a command, of which nothing has come
    bool has_quit_ = false;
    mysql::Command command_ = mysql::Command::sleep;
    size_t payload_size_ = 0;  // bytes of the payload that are held, the command's own included
    std::unordered_map<uint32_t, SessionStatement> prepared_;
    size_t prepared_bytes_ = 0;   // of their texts
    uint32_t prepared_ever_ = 0;  // since the login: ids are given as a server gives them
    uint32_t last_prepared_ = 0;  // what kLastPreparedStatement means
    ClientSession* next_ = nullptr;
    ClientSession* previous_ = nullptr;
};

}  // namespace sql
