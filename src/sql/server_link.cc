#include "sql/server_link.h"

#include <charconv>
#include <format>

#include "net/proxy_header.h"
#include "sql/reply.h"
#include "sql/worker.h"

namespace sql {

namespace {

// A different value would be another protocol, or another meaning, on both sides of the router.
constexpr mysql::Capabilities kMustAgree =
    mysql::kSessionTrack | mysql::kDeprecateEof | mysql::kFoundRows | mysql::kIgnoreSpace |
    mysql::kMultiStatements | mysql::kMultiResults | mysql::kPreparedMultiResults | mysql::kLocalFiles |
    mysql::kBulkExecute | mysql::kExtendedMetadata | mysql::kTransactions;

// A client's own would keep its connections from all others.
constexpr std::string_view kOwnAttributes = "\x0cprogram_name\x07trilith";

constexpr std::string_view kTracking =
    "SET SESSION session_track_system_variables = 'autocommit,character_set_client,character_set_connection,"
    "character_set_results,collation_connection,last_gtid,sql_mode,time_zone,tx_isolation,tx_read_only', "
    "session_track_schema = 1, session_track_state_change = 1";

// In the bytes in which the server keeps names, whatever the session's character set.
constexpr std::string_view kAccount = "SELECT CAST(CURRENT_USER() AS BINARY)";

std::unexpected<ServerFailure> not_linked(core::ErrorKind kind, std::string message) {
    return std::unexpected(ServerFailure{.kind = kind, .message = std::move(message)});
}

// The server says no to this session alone; anything else says something of the server.
bool is_fault_of_node(const ServerFailure& failure) {
    return !failure.is_from_server() && failure.kind != core::ErrorKind::cancelled &&
           failure.kind != core::ErrorKind::exhausted && failure.kind != core::ErrorKind::unsupported;
}

// The only value of a question that has one row of one column; "" for NULL.
runtime::Task<ServerResult<std::string>> ask(
    Worker& worker,
    ServerLink& link,
    std::string text,
    core::Duration wait
) {
    core::Instant deadline = worker.now() + worker.config().timeouts.connect + wait;
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

// What COM_RESET_CONNECTION leaves; the schema stays.
void note_reset(ServerLink& link) {
    link.told.carried = nullptr;
    link.told.is_autocommit = (link.connection->login_status() & mysql::kStatusAutocommit) != 0;
    link.insert_id = 0;
    link.last_gtid.reset();
    link.statements.clear();
    link.has_messages = false;
    link.has_foreign_messages = false;
    link.has_failed_set = false;
    link.is_unsure = false;
}

// The only value of an answer. Nothing: it is NULL, or there are more.
std::optional<std::string> value_of(const QueryAnswer& answer) {
    bool is_single = answer.results.size() == 1 && answer.results[0].rows.size() == 1 &&
                     answer.results[0].rows[0].size() == 1;
    return is_single ? answer.results[0].rows[0][0] : std::nullopt;
}

// Nothing: the server said something else than a number.
std::optional<uint64_t> insert_id_of(const QueryAnswer& answer) {
    std::optional<std::string> said = value_of(answer);
    if (!said) {
        return std::nullopt;
    }
    const std::string& text = *said;
    uint64_t value = 0;
    auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    bool is_number = status == std::errc{} && end == text.data() + text.size();
    return is_number ? std::optional(value) : std::nullopt;
}

// Whether CURRENT_USER() names the account of this Account::name(). A host that was left out is "%".
bool is_account(std::string_view current_user, std::string_view name) {
    size_t at = current_user.rfind('@');
    if (at == std::string_view::npos) {
        return false;
    }
    std::string_view user = current_user.substr(0, at);
    std::string_view host = current_user.substr(at + 1);
    return name == std::format("'{}'@'{}'", user, host) ||
           (host == "%" && name == std::format("'{}'@''", user));
}

// A server that sees the router's address may take another account for it, with other rights.
ServerFailure another_account(const Worker& worker, const ServerLink& link, const Identity& identity) {
    std::string_view cure = worker.config().proxies_from
                                ? "accounts have changed there a moment ago, or not yet: try again"
                                : "create the account for the router's address, too";
    return own_failure(
        mysql::kErrorAccessDenied,
        std::format(
            "trilith: access denied for {}: {} takes this login for another account: {}",
            identity.account,
            link.address.to_string(),
            cure
        )
    );
}

// The answers to all commands; the first failure of one where there is any.
runtime::Task<ServerResult<std::vector<QueryAnswer>>> run_all_well(
    Worker& worker,
    ServerLink& link,
    std::vector<ServerCommand> commands
) {
    core::Instant deadline = worker.now() + worker.config().timeouts.connect;
    auto answers = co_await link.connection->run_all(std::move(commands), deadline);
    if (answers) {
        auto failed = std::ranges::find_if(*answers, [](const QueryAnswer& answer) {
            return answer.failure.has_value();
        });
        if (failed != answers->end()) {
            co_return std::unexpected(*std::move(failed->failure));
        }
    }
    co_return answers;
}

// The session tracking that the router needs, and whether the server has taken the account that was meant.
runtime::Task<ServerResult<void>> begin_link(Worker& worker, ServerLink& link, const Identity& identity) {
    auto answers = co_await run_all_well(
        worker,
        link,
        {{mysql::Command::query, std::string(kAccount)}, {mysql::Command::query, std::string(kTracking)}}
    );
    if (!answers) {
        co_return std::unexpected(std::move(answers).error());
    }
    std::optional<std::string> account = value_of(answers->front());
    if (!account || !is_account(*account, identity.account)) {
        co_return std::unexpected(another_account(worker, link, identity));
    }
    co_return ServerResult<void>{};
}

bool must_reset(const ServerLink& link, const Preparation& wanted) {
    bool has_others_gtid = wanted.clears_gtid && link.last_gtid;
    return link.is_unsure || has_others_gtid || likeness(link.told, wanted.state) == Likeness::resettable;
}

}  // namespace

mysql::Capabilities shared_capabilities(mysql::Capabilities agreed) {
    return agreed & ~(mysql::kConnectWithDatabase | mysql::kConnectAttributes | mysql::kPluginAuth |
                      mysql::kSecureConnection | mysql::kLengthEncodedAuth | mysql::kIgnoreSigpipe |
                      mysql::kRememberOptions | mysql::kVerifyServerCertificate);
}

bool ServerLink::is_alive() const {
    return connection->buffer().is_empty() && connection->socket().peek() == net::Peek::quiet;
}

runtime::Task<ServerResult<std::unique_ptr<ServerLink>>> open_link(
    Worker& worker,
    const Identity& identity,
    std::string database,
    size_t node
) {
    std::shared_ptr<const Routing> routing = worker.routing();
    const Node& target = routing->nodes[node];
    mysql::Capabilities wanted = identity.capabilities | mysql::kSessionTrack;
    ServerLogin login{
        .database = database,
        .capabilities = wanted,
        .collation = identity.collation,
        .connect_attributes = kOwnAttributes,
    };
    NodeCounters& counters = worker.counters().nodes[node];
    auto opened = co_await log_in_as(worker, identity, target.address, login);
    if (!opened) {
        counters.connections_failed.add();
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
    auto link = std::make_unique<ServerLink>();
    link->connection = *std::move(opened);
    link->node = node;
    link->address = target.address;
    link->generation = target.generation;
    link->told = {
        .database = std::move(database),
        .is_autocommit = (link->connection->login_status() & mysql::kStatusAutocommit) != 0,
    };
    link->opened_at = worker.now();
    counters.connections.add(1);
    counters.connections_total.add();
    auto begun = co_await begin_link(worker, *link, identity);
    if (!begun) {
        close_link(worker, std::move(link));
        co_return std::unexpected(std::move(begun).error());
    }
    co_return link;
}

runtime::Task<ServerResult<std::unique_ptr<ServerConnection>>> log_in_as(
    Worker& worker,
    const Identity& identity,
    net::Address address,
    ServerLogin login
) {
    const std::optional<net::Address>& source = worker.config().proxies_from;
    std::string header = source ? net::proxy_header(identity.client, address) : std::string();
    login.user = identity.user;
    login.key = identity.key ? &*identity.key : nullptr;
    login.proxy_header = header;
    co_return co_await ServerConnection::open(
        worker.shared_buffer(),
        worker.reactor(),
        std::move(address),
        login,
        worker.now() + worker.config().timeouts.connect,
        source
    );
}

void close_link(Worker& worker, std::unique_ptr<ServerLink> link) {
    link->connection->quit();
    worker.counters().nodes[link->node].connections.add(-1);
}

bool is_ready(const ServerLink& link, const Preparation& wanted) {
    bool has_insert_id = !wanted.insert_id || link.insert_id == wanted.insert_id;
    return link.asking == nullptr && has_insert_id && !link.has_foreign_messages &&
           !must_reset(link, wanted) && likeness(link.told, wanted.state) == Likeness::same;
}

runtime::Task<ServerResult<std::optional<uint64_t>>> prepare_link(
    Worker& worker,
    ServerLink& link,
    Preparation wanted
) {
    using mysql::Command;
    std::vector<ServerCommand> commands;
    if (wanted.asks_insert_id) {
        commands.push_back({Command::query, "SELECT LAST_INSERT_ID()"});
    }
    if (must_reset(link, wanted)) {
        commands.push_back({Command::reset_connection, ""});
        commands.push_back({Command::query, std::string(kTracking)});
        note_reset(link);
    }
    if (link.has_foreign_messages) {
        commands.push_back({Command::query, std::string(kClearing)});
        link.has_messages = false;
        link.has_foreign_messages = false;
    }
    ToldState told = wanted.state;
    for (std::string& statement : statements_between(link.told, told)) {
        commands.push_back({Command::query, std::move(statement)});
    }
    if (wanted.insert_id && link.insert_id != wanted.insert_id) {
        commands.push_back({Command::query, std::format("SET last_insert_id = {}", *wanted.insert_id)});
        link.insert_id = wanted.insert_id;
    }
    if (commands.empty()) {
        co_return std::nullopt;
    }
    // Until all of it has gone well, nobody knows.
    link.is_unsure = true;
    auto answers = co_await run_all_well(worker, link, std::move(commands));
    if (!answers) {
        bool has_messages = answers.error().is_from_server();
        link.has_messages = link.has_messages || has_messages;
        link.has_foreign_messages = link.has_foreign_messages || has_messages;
        co_return std::unexpected(std::move(answers).error());
    }
    link.told = std::move(told);
    link.is_unsure = false;
    if (!wanted.asks_insert_id) {
        co_return std::nullopt;
    }
    co_return insert_id_of(answers->front());
}

runtime::Task<ServerResult<void>> reset_link(Worker& worker, ServerLink& link) {
    auto answers = co_await run_all_well(
        worker,
        link,
        {{mysql::Command::reset_connection, ""}, {mysql::Command::query, std::string(kTracking)}}
    );
    if (!answers) {
        co_return std::unexpected(std::move(answers).error());
    }
    note_reset(link);
    co_return ServerResult<void>{};
}

runtime::Task<ServerResult<void>> tell_insert_id(Worker& worker, ServerLink& link, uint64_t insert_id) {
    core::Instant deadline = worker.now() + worker.config().timeouts.connect;
    auto answer =
        co_await link.connection->query(std::format("SET last_insert_id = {}", insert_id), deadline);
    if (!answer) {
        co_return std::unexpected(std::move(answer).error());
    }
    link.insert_id = insert_id;
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
