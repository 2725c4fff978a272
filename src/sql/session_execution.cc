// Prepared statements of the binary protocol. Their ids are the router's own; an execution goes wherever the
// same text would.
#include <format>
#include <utility>

#include "mysql/execution.h"
#include "mysql/wire.h"
#include "sql/client_session.h"
#include "sql/reply.h"
#include "sql/worker.h"

namespace sql {

namespace {

using mysql::Command;

// A server's own bound (max_prepared_stmt_count, of all sessions) is as high.
constexpr size_t kPreparedMax = 16'382;
// Beyond this a session's texts are not kept: the statement stays with the connection that prepared it.
constexpr size_t kTextBytesMax = 1 << 20;

constexpr uint16_t kErrorTooManyStatements = 1461;
constexpr uint16_t kErrorNoOpenCursor = 1421;

// As a server calls itself in its errors.
std::string_view server_function(Command command) {
    switch (command) {
        case Command::statement_fetch: return "mysqld_stmt_fetch";
        case Command::statement_reset: return "mysqld_stmt_reset";
        case Command::statement_bulk_execute: return "mysqld_stmt_bulk_execute";
        default: return "mysqld_stmt_execute";
    }
}

// It may run on any connection that is as the session is, or where the statement before ran.
bool may_move(const StatementClass& statement) {
    return !statement.is_multi_statement && !statement.reads_last_gtid;
}

}  // namespace

void ClientSession::forget_prepared() {
    prepared_.clear();
    prepared_bytes_ = 0;
    last_prepared_ = 0;
    prepared_ever_ = 0;
}

runtime::Task<ClientSession::Next> ClientSession::prepare() {
    bool is_whole = client_.command_size > 0;
    std::string_view text = payload();
    StatementClass statement = classify(
        text,
        servers_.state().token_settings(),
        is_whole ? TextExtent::whole : TextExtent::beginning
    );
    if (prepared_.size() >= kPreparedMax) {
        co_return co_await refuse(
            kErrorTooManyStatements,
            std::format("trilith: a session may have {} prepared statements: close some", kPreparedMax)
        );
    }
    bool is_kept = is_whole && may_move(statement) && prepared_bytes_ + text.size() <= kTextBytesMax;
    SessionStatement made{
        .prepared = make_prepared_text(is_kept ? text : "", servers_.state().told(), statement)
    };
    StatementUse use{
        .command = Command::statement_prepare,
        .id = ++prepared_ever_,  // a server counts those that fail, too
        .statement = made,
        .must_hold = !is_kept,
    };
    StatementEffects effects{.verb = Verb::prepare, .is_read = true, .tables = statement.tables};
    Order order{
        .effects = effects,
        .form = mysql::ResponseForm::prepared,
        .continuity = {.of_insert = !is_kept, .may_be_lost = true},
        .use = &use,
    };
    Ran ran;
    if (is_kept) {
        ran = co_await servers_.run(plan_of(*made.prepared), order);
    } else {
        ran = co_await servers_.run_on_primary(order);
    }
    if (ran.prepared) {
        last_prepared_ = use.id;
        prepared_bytes_ += made.prepared->text.size();
        prepared_.insert_or_assign(last_prepared_, std::move(made));
    }
    co_return next_of(ran);
}

RoutePlan ClientSession::plan_of(const PreparedText& prepared) {
    SessionFacts facts = servers_.facts();
    facts.database = prepared.context.database;
    return plan_route(
        prepared.statement,
        facts,
        *worker_.routing(),
        worker_.config().reads,
        worker_.random().next()
    );
}

// So many bytes of the payload are there, or all of a shorter one. False: the client left.
runtime::Task<bool> ClientSession::receive_beginning(size_t count) {
    size_t length = mysql::read_packet_header(client_.buffer.bytes()).length;
    size_t wanted = mysql::kPacketHeaderSize + std::min(length, count);
    while (client_.buffer.bytes().size() < wanted) {
        core::Instant deadline = worker_.now() + worker_.config().timeouts.body;
        ssize_t received = co_await client_.socket.receive(client_.buffer, deadline);
        if (received <= 0) {
            co_return false;
        }
    }
    payload_size_ = std::min(length, client_.buffer.bytes().size() - mysql::kPacketHeaderSize);
    co_return true;
}

// A command that no server gets, and that nobody answers.
runtime::Task<ClientSession::Next> ClientSession::drop_command() {
    client_.settle_command();
    while (client_.is_streaming) {
        mysql::RequestStep step = client_.requests.read(client_.buffer.bytes());
        client_.buffer.consume(step.consumed);
        if (step.state == mysql::RequestState::complete) {
            break;
        }
        core::Instant deadline = worker_.now() + worker_.config().timeouts.body;
        if (step.state == mysql::RequestState::refused ||
            co_await client_.socket.receive(client_.buffer, deadline) <= 0) {
            co_return Next::ends;
        }
    }
    co_return Next::goes_on;
}

runtime::Task<ClientSession::Next> ClientSession::use_prepared() {
    bool is_there = co_await receive_beginning(1 + mysql::execution_head_max(command_, 0));
    if (!is_there) {
        co_return Next::ends;
    }
    mysql::PayloadReader reader(payload());
    uint32_t id = reader.u32();
    bool is_execution = command_ == Command::statement_execute || command_ == Command::statement_bulk_execute;
    if (is_execution && payload_size_ < 1 + mysql::execution_head_max(command_, 0)) {
        co_return co_await refuse(mysql::kErrorMalformedPacket, "Malformed communication packet");
    }
    auto known = prepared_.find(id == mysql::kLastPreparedStatement ? last_prepared_ : id);
    bool is_unanswered = *mysql::response_form(command_) == mysql::ResponseForm::none;
    if (!reader.is_good() || known == prepared_.end()) {
        if (is_unanswered) {
            co_return co_await drop_command();
        }
        co_return co_await refuse(
            mysql::kErrorUnknownStatement,
            std::format("Unknown prepared statement handler ({}) given to {}", id, server_function(command_))
        );
    }
    SessionStatement& statement = known->second;
    switch (command_) {
        case Command::statement_execute:
        case Command::statement_bulk_execute: co_return co_await execute(known->first, statement);
        case Command::statement_send_long_data:
            co_return co_await run_statement({.command = command_, .statement = statement, .must_hold = true}
            );
        case Command::statement_close: {
            Next next = Next::goes_on;
            if (statement.held) {
                next = co_await run_statement({.command = command_, .statement = statement});
            } else {
                next = co_await drop_command();
            }
            prepared_bytes_ -= statement.prepared->text.size();
            prepared_.erase(known);
            servers_.hold_prepared(std::ranges::any_of(prepared_, [](const auto& entry) {
                return entry.second.held.has_value();
            }));
            co_return next;
        }
        default: break;
    }
    if (statement.held) {
        co_return co_await run_statement({.command = command_, .statement = statement});
    }
    if (command_ == Command::statement_fetch) {
        co_return co_await refuse(
            kErrorNoOpenCursor,
            std::format("The statement ({}) has no open cursor", known->first)
        );
    }
    // RESET: there is neither a cursor nor a part of a parameter.
    co_return co_await answer_ok();
}

// A command that is no execution, at the connection that the session keeps for the statement.
runtime::Task<ClientSession::Next> ClientSession::run_statement(StatementUse use) {
    StatementEffects effects{.verb = Verb::prepare, .is_read = true};
    Ran ran = co_await servers_.run_on_primary({
        .effects = effects,
        .form = *mysql::response_form(command_),
        .use = &use,
    });
    co_return next_of(ran);
}

// It ends within its head: as a server says it.
runtime::Task<ClientSession::Next> ClientSession::refuse_execution(uint16_t parameters) {
    bool lacks_types = 1 + mysql::execution_head_max(command_, 0) < payload_size_ &&
                       payload_size_ > mysql::execution_head_max(command_, parameters) - 2U * parameters;
    if (lacks_types) {
        co_return co_await refuse(mysql::kErrorMalformedPacket, "Malformed communication packet");
    }
    co_return co_await refuse(
        mysql::kErrorWrongArguments,
        std::format("Incorrect arguments to {}", server_function(command_))
    );
}

runtime::Task<ClientSession::Next> ClientSession::execute(uint32_t id, SessionStatement& statement) {
    const PreparedText& prepared = *statement.prepared;
    worker_.counters().verbs[static_cast<size_t>(prepared.statement.verb)].add();
    size_t head_max = 1 + mysql::execution_head_max(command_, statement.parameters);
    bool is_visible = !client_.is_streaming || head_max <= kHeldCommandMax;
    if (is_visible && client_.is_streaming) {
        bool is_there = co_await receive_beginning(head_max);
        if (!is_there) {
            co_return Next::ends;
        }
    }
    std::optional<mysql::ExecutionHead> head;
    if (is_visible) {
        head = mysql::read_execution(command_, payload(), statement.parameters);
        if (!head) {
            co_return co_await refuse_execution(statement.parameters);
        }
    }
    if (head && head->sends_types) {
        statement.types = payload().substr(head->types_at, size_t{statement.parameters} * 2);
    }
    if (prepared.asks_token) {
        bool is_settled = co_await servers_.settle_token();
        if (!is_settled) {
            co_return co_await refuse(mysql::kErrorUnknown, std::string(kTokenUnknown));
        }
        servers_.state().publish_token();
    }
    StatementUse use{
        .command = command_,
        .id = id,
        .statement = statement,
        .head = head.value_or(mysql::ExecutionHead{.sends_types = true}),
        .must_hold = !head || head->opens_cursor,
    };
    Order order{
        .effects = prepared.effects,
        .form = *mysql::response_form(command_),
        .continuity = continuity_of(prepared.statement, prepared.effects),
        .use = &use,
    };
    if (order.continuity.of_result()) {
        order.question = read_previous_question(prepared.text, servers_.state().token_settings());
    }
    Ran ran;
    if (use.must_hold || statement.held) {
        ran = co_await servers_.run_on_primary(order);
    } else {
        ran = co_await servers_.run(plan_of(prepared), order);
    }
    co_return next_of(ran);
}

}  // namespace sql
