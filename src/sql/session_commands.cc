// The commands of a session that are no COM_QUERY.
#include <format>
#include <utility>

#include "mysql/wire.h"
#include "sql/client_login.h"
#include "sql/client_session.h"
#include "sql/reply.h"
#include "sql/session_kill.h"
#include "sql/worker.h"

namespace sql {

namespace {

// Then a server answers every change of user with "Unknown command", against guessing.
constexpr uint8_t kFailedChangesMax = 3;

}  // namespace

// No server is asked: the router is what the client is connected to.
runtime::Task<ClientSession::Next> ClientSession::answer_ping() {
    if (client_.is_streaming) {
        co_return co_await refuse(mysql::kErrorMalformedPacket, "trilith: COM_PING has no such length");
    }
    co_return co_await answer_ok();
}

runtime::Task<ClientSession::Next> ClientSession::run_simple(
    StatementEffects effects,
    mysql::ResponseForm form
) {
    Ran ran = co_await servers_.run_on_primary({.effects = effects, .form = form});
    co_return next_of(ran);
}

runtime::Task<ClientSession::Next> ClientSession::init_database() {
    StatementEffects effects{.verb = Verb::use, .is_read = true};
    Ran ran = co_await servers_.run_on_primary({.effects = effects, .form = mysql::ResponseForm::one_ok});
    co_return next_of(ran);
}

// Multi-statements on or off: what a connection is opened with from now on.
runtime::Task<ClientSession::Next> ClientSession::switch_option() {
    mysql::PayloadReader reader(payload());
    uint16_t option = reader.u16();
    StatementEffects effects{.verb = Verb::set, .is_read = true};
    mysql::Capabilities agreed = servers_.identity().capabilities & ~mysql::kMultiStatements;
    Ran ran = co_await servers_.run_on_primary({
        .effects = effects,
        .form = mysql::ResponseForm::one_ok,
        .capabilities = option == 0 ? agreed | mysql::kMultiStatements : agreed,
    });
    co_return next_of(ran);
}

runtime::Task<ClientSession::Next> ClientSession::reset_session() {
    if (client_.is_streaming) {
        co_return co_await refuse(
            mysql::kErrorMalformedPacket,
            "trilith: COM_RESET_CONNECTION has no such length"
        );
    }
    Ran ran = co_await servers_.reset();
    if (ran.is_done) {
        forget_prepared();
    }
    co_return next_of(ran);
}

runtime::Task<ClientSession::Next> ClientSession::become_another() {
    if (client_.is_streaming) {
        co_return co_await refuse(mysql::kErrorMalformedPacket, "trilith: this change of user is too long");
    }
    std::string bytes(client_.buffer.bytes().substr(mysql::kPacketHeaderSize, payload_size_));
    client_.settle_command();
    uint16_t collation = servers_.identity().collation;
    if (failed_changes_ >= kFailedChangesMax) {
        ServerFailure failure = own_failure(mysql::kErrorUnknownCommand, "Unknown command");
        servers_.note_own_error(failure);
        bool is_told = co_await reply_error(worker_, client_, 1, std::move(failure));
        co_return is_told ? Next::goes_on : Next::ends;
    }
    auto changed = co_await sql::change_user(worker_, client_, routing_changed_, std::move(bytes), nonce_);
    if (!changed && changed.error() == LoginEnd::attempt) {
        co_return co_await remain_who_it_was();
    }
    if (!changed) {
        co_return Next::ends;
    }
    nonce_ = changed->nonce;
    if (changed->identity.collation == 0) {
        changed->identity.collation = collation;
    }
    forget_prepared();
    uint8_t sequence = changed->sequence;
    auto opened = co_await servers_.establish(std::move(changed->identity), std::move(changed->database));
    if (!opened) {
        ServerFailure failure = told_failure(std::move(opened).error());
        [[maybe_unused]] bool is_told = co_await reply_error(worker_, client_, sequence, std::move(failure));
        co_return Next::ends;
    }
    mysql::OkPacket ok{.status = opened->status, .session_track = opened->session_track};
    bool is_told = co_await reply_ok(worker_, client_, sequence, ok);
    co_return is_told ? Next::goes_on : Next::ends;
}

// As a server does after a change of user that it refused: the old user and schema, and all else anew.
runtime::Task<ClientSession::Next> ClientSession::remain_who_it_was() {
    ++failed_changes_;
    forget_prepared();
    Identity identity = servers_.identity();
    std::string database = servers_.state().database();
    auto opened = co_await servers_.establish(std::move(identity), std::move(database));
    co_return opened ? Next::goes_on : Next::ends;
}

runtime::Task<ClientSession::Next> ClientSession::kill_process() {
    mysql::PayloadReader reader(payload());
    uint32_t id = reader.u32();
    if (id >= kFirstSessionId && !client_.is_streaming) {
        co_return co_await kill({.id = id, .ends_session = true});
    }
    co_return co_await run_simple({.verb = Verb::kill}, mysql::ResponseForm::one_ok);
}

// KILL of a session of the router, perhaps of this one.
runtime::Task<ClientSession::Next> ClientSession::kill(KillOrder order) {
    uint8_t sequence = client_.requests.next_sequence();
    client_.settle_command();
    ServerResult<void> killed;
    if (order.id != id_) {
        killed = co_await kill_session(worker_, servers_.identity(), order);
    } else {
        killed = std::unexpected(
            order.ends_session ? own_failure(mysql::kErrorConnectionKilled, "Connection was killed")
                               : own_failure(mysql::kErrorQueryInterrupted, "Query execution was interrupted")
        );
    }
    bool is_told = false;
    if (killed) {
        servers_.note_own_ok();
        is_told = co_await reply_ok(worker_, client_, sequence, {.status = servers_.state().status()});
    } else {
        ServerFailure failure = told_failure(std::move(killed).error());
        servers_.note_own_error(failure);
        is_told = co_await reply_error(worker_, client_, sequence, std::move(failure));
    }
    bool ends = order.id == id_ && order.ends_session;
    co_return is_told && !ends ? Next::goes_on : Next::ends;
}

}  // namespace sql
