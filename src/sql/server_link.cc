#include "sql/server_link.h"

#include <format>

#include "sql/worker.h"

namespace sql {

namespace {

// A different value would be another protocol, or another meaning, on both sides of the router.
constexpr mysql::Capabilities kMustAgree =
    mysql::kSessionTrack | mysql::kDeprecateEof | mysql::kFoundRows | mysql::kIgnoreSpace |
    mysql::kMultiStatements | mysql::kMultiResults | mysql::kPreparedMultiResults | mysql::kLocalFiles |
    mysql::kBulkExecute | mysql::kExtendedMetadata | mysql::kTransactions;

constexpr std::string_view kTracking =
    "SET SESSION session_track_system_variables = 'autocommit,character_set_client,character_set_connection,"
    "character_set_results,collation_connection,last_gtid,sql_mode,time_zone,tx_isolation,tx_read_only', "
    "session_track_schema = 1, session_track_state_change = 1";

std::unexpected<ServerFailure> not_linked(core::ErrorKind kind, std::string message) {
    return std::unexpected(ServerFailure{.kind = kind, .message = std::move(message)});
}

// The server says no to this session alone; anything else says something of the server.
bool is_fault_of_node(const ServerFailure& failure) {
    return !failure.is_from_server() && failure.kind != core::ErrorKind::cancelled &&
           failure.kind != core::ErrorKind::exhausted && failure.kind != core::ErrorKind::unsupported;
}

runtime::Task<ServerResult<void>> run(Worker& worker, ServerLink& link, std::string text) {
    core::Instant deadline = worker.now() + worker.shared().config.timeouts.connect;
    auto answer = co_await link.connection->query(std::move(text), deadline);
    if (!answer) {
        co_return std::unexpected(std::move(answer).error());
    }
    if (answer->failure) {
        co_return std::unexpected(*std::move(answer->failure));
    }
    co_return ServerResult<void>{};
}

// The only value of a question that has one row of one column; "" for NULL.
runtime::Task<ServerResult<std::string>> ask(
    Worker& worker,
    ServerLink& link,
    std::string text,
    core::Duration wait
) {
    core::Instant deadline = worker.now() + worker.shared().config.timeouts.connect + wait;
    auto answer = co_await link.connection->query(std::move(text), deadline);
    if (!answer) {
        co_return std::unexpected(std::move(answer).error());
    }
    bool is_single = answer->results.size() == 1 && answer->results[0].rows.size() == 1 &&
                     answer->results[0].rows[0].size() == 1;
    if (!is_single) {
        co_return not_linked(core::ErrorKind::invalid, "the server's answer has not one value");
    }
    co_return answer->results[0].rows[0][0].value_or("");
}

std::string use_statement(std::string_view database) {
    std::string text = "USE `";
    for (const char byte : database) {
        text += byte;
        if (byte == '`') {
            text += byte;
        }
    }
    return text + "`";
}

}  // namespace

bool ServerLink::is_alive() const {
    return is_open() && connection->buffer().is_empty() && connection->socket().peek() == net::Peek::quiet;
}

runtime::Task<ServerResult<void>> open_link(
    Worker& worker,
    ServerLink& link,
    const Identity& identity,
    std::string database,
    size_t node
) {
    std::shared_ptr<const Routing> routing = worker.routing();
    const Node& target = routing->nodes[node];
    close_link(worker, link);
    mysql::Capabilities wanted = identity.capabilities | mysql::kSessionTrack;
    ServerLogin login{
        .user = identity.user,
        .key = identity.key ? &*identity.key : nullptr,
        .database = database,
        .capabilities = wanted & ~(mysql::kConnectWithDatabase | mysql::kConnectAttributes),
        .collation = identity.collation,
        .connect_attributes = identity.attributes,
    };
    core::Instant deadline = worker.now() + worker.shared().config.timeouts.connect;
    auto opened = co_await ServerConnection::open(
        worker.shared_buffer(),
        worker.reactor(),
        target.address,
        login,
        deadline
    );
    if (!opened) {
        worker.counters().nodes[node].connections_failed.add();
        if (is_fault_of_node(opened.error())) {
            worker.shared().watch.on_node_failure(target.address);
        }
        co_return std::unexpected(std::move(opened).error());
    }
    mysql::Capabilities missing = wanted & kMustAgree & ~(*opened)->capabilities();
    if (missing != 0) {
        (*opened)->quit();
        co_return not_linked(
            core::ErrorKind::unsupported,
            std::format("trilith: {} lacks capabilities that the client has (0x{:x})", target.name, missing)
        );
    }
    link.connection = *std::move(opened);
    link.node = node;
    link.address = target.address;
    link.generation = target.generation;
    link.applied = 0;
    link.database = std::move(database);
    link.covered = {};
    link.is_autocommit = (link.connection->login_status() & mysql::kStatusAutocommit) != 0;
    worker.counters().nodes[node].connections.add(1);
    worker.counters().nodes[node].connections_total.add();
    co_return co_await ask_for_tracking(worker, link);
}

void close_link(Worker& worker, ServerLink& link) {
    if (link.is_open()) {
        link.connection->quit();
        link.connection.reset();
        worker.counters().nodes[link.node].connections.add(-1);
    }
}

runtime::Task<ServerResult<void>> ask_for_tracking(Worker& worker, ServerLink& link) {
    co_return co_await run(worker, link, std::string(kTracking));
}

runtime::Task<ServerResult<void>> bring_up_to_date(
    Worker& worker,
    ServerLink& link,
    const SessionState& state
) {
    std::string database = state.database();
    if (link.database != database) {
        if (database.empty()) {
            co_return not_linked(core::ErrorKind::unsupported, "a schema cannot be unselected");
        }
        auto selected = co_await run(worker, link, use_statement(database));
        if (!selected) {
            co_return selected;
        }
        link.database = std::move(database);
    }
    if (link.is_autocommit != state.is_autocommit()) {
        auto said =
            co_await run(worker, link, state.is_autocommit() ? "SET autocommit = 1" : "SET autocommit = 0");
        if (!said) {
            co_return said;
        }
        link.is_autocommit = state.is_autocommit();
    }
    if (link.applied == state.serial()) {
        co_return ServerResult<void>{};
    }
    uint64_t serial = state.serial();
    for (std::string& statement : state.statements_since(link.applied)) {
        auto said = co_await run(worker, link, std::move(statement));
        if (!said) {
            co_return said;
        }
    }
    link.applied = serial;
    co_return ServerResult<void>{};
}

runtime::Task<ServerResult<bool>> await_position(
    Worker& worker,
    ServerLink& link,
    mysql::GtidPosition position,
    core::Duration wait
) {
    std::string text = "SELECT MASTER_GTID_WAIT('";
    position.append_to(text);
    text += std::format("', {:.6f})", std::chrono::duration<double>(wait).count());
    auto answer = co_await ask(worker, link, std::move(text), wait);
    if (!answer) {
        co_return std::unexpected(std::move(answer).error());
    }
    if (*answer != "0") {
        co_return false;
    }
    link.covered = position;
    co_return true;
}

runtime::Task<ServerResult<mysql::GtidPosition>> ask_position(Worker& worker, ServerLink& link) {
    auto answer = co_await ask(worker, link, "SELECT @@global.gtid_binlog_pos", {});
    if (!answer) {
        co_return std::unexpected(std::move(answer).error());
    }
    auto position = mysql::GtidPosition::read(*answer);
    if (!position) {
        co_return not_linked(core::ErrorKind::unsupported, "the server's GTID position cannot be read");
    }
    co_return *position;
}

}  // namespace sql
