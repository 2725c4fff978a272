#include "sql/client_session.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sql/client_login.h"
#include "sql/reply.h"
#include "sql/session_kill.h"
#include "sql/worker.h"

namespace sql {

namespace {

bool names_session(const Kill& kill) {
    bool has_id = kill.kind == Kill::Kind::connection || kill.kind == Kill::Kind::query;
    return has_id && kill.id >= kFirstSessionId && kill.id <= UINT32_MAX;
}

}  // namespace

ClientSession::ClientSession(Worker& worker, net::Socket socket, net::Address peer)
    : worker_(worker),
      client_(std::move(socket), worker.shared_buffer(), std::move(peer)),
      routing_changed_(worker.reactor()),
      servers_(worker, client_, routing_changed_),
      id_(worker.next_session_id()) {
    client_.requests = mysql::RequestReader({.payload_max = worker.config().limits.packet});
    worker_.enlist(*this);
}

ClientSession::~ClientSession() { worker_.delist(*this); }

bool ClientSession::may_stop() const {
    const SessionFacts facts = servers_.facts();
    return worker_.is_draining() && !facts.is_in_transaction;
}

void ClientSession::on_drain() {
    if (is_idle_ && may_stop() && fiber_ != nullptr) {
        fiber_->interrupt();
    }
}

ClientSession::Next ClientSession::next_of(const Ran& ran) {
    return ran.session_ends ? Next::ends : Next::goes_on;
}

runtime::Task<void> ClientSession::serve() {
    fiber_ = &co_await runtime::CurrentFiber{};
    bool is_in = co_await establish();
    if (!is_in) {
        co_return;
    }
    Next next = Next::goes_on;
    while (next == Next::goes_on) {
        bool is_there = co_await await_command();
        if (!is_there) {
            break;
        }
        next = co_await serve_command();
    }
    co_await leave();
}

runtime::Task<void> ClientSession::leave() {
    co_await servers_.leave();
    if (!has_quit_) {
        worker_.counters().clients_lost.add();
    }
}

runtime::Task<bool> ClientSession::establish() {
    std::optional<LoggedIn> logged_in = co_await log_in(worker_, client_, routing_changed_, id_);
    if (!logged_in) {
        co_return false;
    }
    uint8_t sequence = logged_in->sequence;
    nonce_ = logged_in->nonce;
    auto opened = co_await servers_.establish(std::move(logged_in->identity), std::move(logged_in->database));
    if (!opened) {
        [[maybe_unused]] bool is_told =
            co_await reply_error(worker_, client_, sequence, told_failure(std::move(opened).error()));
        co_return false;
    }
    mysql::OkPacket ok{.status = opened->status, .session_track = opened->session_track};
    co_return co_await reply_ok(worker_, client_, sequence, ok);
}

// Until the next command is there: all of it, or as much as can be held.
runtime::Task<bool> ClientSession::await_command() {
    const TimeoutConfig& timeouts = worker_.config().timeouts;
    client_.requests.begin(mysql::RequestForm::command, 0);
    client_.command_size = 0;
    client_.is_streaming = false;
    core::Instant idle_since = worker_.now();
    for (;;) {
        mysql::RequestHead head = client_.requests.head(client_.buffer.bytes());
        if (head.state == mysql::RequestState::refused) {
            ServerFailure failure = own_failure(head.error, "trilith: " + std::string(head.reason));
            [[maybe_unused]] bool is_told = co_await reply_error(worker_, client_, 1, std::move(failure));
            co_return false;
        }
        if (head.state == mysql::RequestState::begun) {
            bool is_long = head.length > kHeldCommandMax || client_.buffer.bytes().size() > kHeldCommandMax;
            if (head.is_whole || is_long) {
                command_ = head.command;
                payload_size_ = head.payload.size();
                client_.is_streaming = !head.is_whole;
                break;
            }
        }
        is_idle_ = client_.buffer.is_empty();
        if (is_idle_ && may_stop()) {
            co_return false;
        }
        core::Instant deadline = is_idle_ ? idle_since + timeouts.idle : worker_.now() + timeouts.body;
        ssize_t received = co_await client_.socket.receive(client_.buffer, deadline);
        is_idle_ = false;
        bool is_interrupted = received == -ECANCELED && !fiber_->is_stopped;
        if (received <= 0 && !is_interrupted) {
            co_return false;
        }
    }
    if (!client_.is_streaming) {
        mysql::RequestStep step = client_.requests.read(client_.buffer.bytes());
        client_.command_size = step.consumed;
    }
    co_return true;
}

std::string_view ClientSession::payload() const {
    if (payload_size_ == 0) {
        return "";
    }
    return client_.buffer.bytes().substr(mysql::kPacketHeaderSize, payload_size_).substr(1);
}

runtime::Task<ClientSession::Next> ClientSession::serve_command() {
    worker_.counters().questions.add();
    if (payload_size_ == 0) {
        co_return co_await refuse(mysql::kErrorUnknownCommand, "trilith: an empty packet is no command");
    }
    co_return co_await dispatch();
}

runtime::Task<ClientSession::Next> ClientSession::refuse(uint16_t error, std::string message) {
    bool is_streaming = client_.is_streaming;
    uint8_t sequence = is_streaming ? uint8_t{1} : client_.requests.next_sequence();
    client_.settle_command();
    ServerFailure failure = own_failure(error, std::move(message));
    servers_.note_own_error(failure);
    bool is_told = co_await reply_error(worker_, client_, sequence, std::move(failure));
    co_return is_told && !is_streaming ? Next::goes_on : Next::ends;
}

runtime::Task<ClientSession::Next> ClientSession::dispatch() {
    using enum mysql::Command;
    switch (command_) {
        case quit: has_quit_ = true; co_return Next::ends;
        case query: co_return co_await run_query();
        case ping: co_return co_await answer_ping();
        case init_db: co_return co_await init_database();
        case set_option: co_return co_await switch_option();
        case reset_connection: co_return co_await reset_session();
        case change_user: co_return co_await become_another();
        case process_kill: co_return co_await kill_process();
        case statement_prepare: co_return co_await prepare();
        case statement_execute:
        case statement_bulk_execute:
        case statement_fetch:
        case statement_reset:
        case statement_close:
        case statement_send_long_data: co_return co_await use_prepared();
        case field_list:
        case statistics:
        case process_info:
        case debug:
        case refresh: {
            mysql::ResponseForm form = *mysql::response_form(command_);
            // Those that only tell something keep all that a statement left, as USE does.
            Verb verb = command_ == refresh || command_ == process_info ? Verb::other : Verb::use;
            co_return co_await run_simple({.verb = verb, .is_read = command_ != refresh}, form);
        }
        case shutdown:
            co_return co_await refuse(
                mysql::kErrorNotSupportedYet,
                "trilith: a server is shut down at its own address, not through the router"
            );
        case binlog_dump:
        case binlog_dump_gtid:
        case register_replica:
        case table_dump:
            co_return co_await refuse(
                mysql::kErrorNotSupportedYet,
                "trilith: replicas connect to a server at its own address, not through the router"
            );
        default: co_return co_await refuse(mysql::kErrorUnknownCommand, "Unknown command");
    }
}

// SET @trilith_token and nothing else: the router's own business. A visitor's reads begin with it, and must
// not wait for a primary that is busy or gone.
runtime::Task<ClientSession::Next> ClientSession::take_token(StatementEffects effects) {
    servers_.state().note_success(effects);
    co_return co_await answer_ok();
}

// The command is whole, and no server is asked.
runtime::Task<ClientSession::Next> ClientSession::answer_ok() {
    uint8_t sequence = client_.requests.next_sequence();
    client_.settle_command();
    servers_.note_own_ok();
    bool is_told = co_await reply_ok(worker_, client_, sequence, {.status = servers_.state().status()});
    co_return is_told ? Next::goes_on : Next::ends;
}

runtime::Task<ClientSession::Next> ClientSession::run_query() {
    std::string_view text = payload();
    const mysql::TokenSettings& settings = servers_.state().token_settings();
    bool is_whole = client_.command_size > 0;
    StatementClass statement = classify(text, settings, is_whole ? TextExtent::whole : TextExtent::beginning);
    worker_.counters().verbs[static_cast<size_t>(statement.verb)].add();
    bool is_kill = names_session(statement.kill);
    if (is_kill && (statement.is_multi_statement || !is_whole)) {
        co_return co_await refuse(
            mysql::kErrorNotSupportedYet,
            "trilith: KILL of a session of the router must be a statement by itself"
        );
    }
    if (is_kill) {
        co_return co_await kill({
            .id = static_cast<uint32_t>(statement.kill.id),
            .ends_session = statement.kill.kind == Kill::Kind::connection,
            .is_soft = statement.kill.is_soft,
        });
    }
    StatementEffects effects =
        is_whole ? effects_of(text, statement, settings) : prepared_effects_of(statement);
    if (statement.reads_user_variables && mentions_token(text)) {
        bool is_settled = co_await servers_.settle_token();
        if (!is_settled) {
            co_return co_await refuse(mysql::kErrorUnknown, std::string(kTokenUnknown));
        }
        servers_.state().publish_token();
    }
    if (std::ranges::any_of(effects.entries, [](const StateEntry& entry) {
        return sets_token(entry) && !token_of(entry);
    })) {
        co_return co_await refuse(
            mysql::kErrorWrongArguments,
            "trilith: @trilith_token is set to what SELECT @trilith_token gave, between quotes"
        );
    }
    if (is_whole && !statement.is_multi_statement && is_token_alone(effects)) {
        co_return co_await take_token(effects);
    }
    RoutePlan plan = plan_route(
        statement,
        servers_.facts(),
        *worker_.routing(),
        worker_.config().reads,
        worker_.random().next()
    );
    Order order{.effects = effects, .continuity = continuity_of(statement, effects)};
    if (order.continuity.of_result() && is_whole) {
        order.question = read_previous_question(text, settings);
    }
    Ran ran = co_await servers_.run(plan, order);
    co_return next_of(ran);
}

}  // namespace sql
