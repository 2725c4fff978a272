// One connection to a database server: opened, logged in, then a plain socket for whoever relays over it; and
// short questions of our own.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/units.h"
#include "mariadb/query_reader.h"
#include "mariadb/statement_reader.h"
#include "mysql/capabilities.h"
#include "mysql/greeting.h"
#include "mysql/native_password.h"
#include "mysql/response_reader.h"
#include "net/address.h"
#include "net/read_buffer.h"
#include "net/socket.h"
#include "runtime/task.h"

namespace mariadb {

// What a connection logs in as. Views and the key must live until open() has ended.
struct ServerLogin {
    std::string_view user{};
    const mysql::PasswordKey* key = nullptr;  // null: no password
    std::string_view database{};
    // Wanted: what the server has not is left out. kUntranslatable and kTls must not be among them
    // (asserted). kProtocol41, kSecureConnection and kPluginAuth are added, kConnectWithDatabase and
    // kConnectAttributes follow from the fields.
    mysql::Capabilities capabilities = 0;
    uint16_t collation = 45;                // utf8mb4_general_ci
    std::string_view connect_attributes{};  // length-encoded names and values, as they stand in the login
    std::string_view proxy_header{};  // net::proxy_header(), where the server is to know another's address
};

// A command of our own, `text` behind its first byte.
struct ServerCommand {
    mysql::Command command = mysql::Command::query;
    std::string text{};
};

// What an interruption of our fiber does to the wait for an answer. A fiber that is stopped ends it always.
enum class OnInterrupt : uint8_t { stop, wait_on };

// A statement that is prepared, or another command whose answer is of its form, and what goes before it.
struct StatementOrder {
    std::string packets{};      // whole ones, of all commands
    size_t answers_before = 0;  // of commands before it that give no rows
    QueryBounds bounds{};       // bytes_max holds for a row, too
    OnInterrupt on_interrupt = OnInterrupt::stop;
};

class ServerConnection {
public:
    static constexpr size_t kConnectAttributesMax = 32 << 10;

    // Connects and logs in, all until `deadline`. A request for mysql_native_password is followed; one for
    // another plugin is a failure of kind `unsupported` that names it. `source`: see net::Socket::connect().
    [[nodiscard]] static runtime::Task<ServerResult<std::unique_ptr<ServerConnection>>> open(
        net::SharedReadBuffer& shared,
        runtime::Reactor& reactor,
        net::Address address,
        ServerLogin login,
        core::Instant deadline,
        std::optional<net::Address> source = std::nullopt
    );

    ServerConnection(const ServerConnection&) = delete;
    ServerConnection& operator=(const ServerConnection&) = delete;

    // For the relay: bytes that belong to no response yet lie in the buffer. Between commands it is empty,
    // and the socket quiet, unless the server is about to close.
    [[nodiscard]] net::Socket& socket() { return socket_; }
    [[nodiscard]] net::ReadBuffer& buffer() { return buffer_; }

    // Agreed on at the login.
    [[nodiscard]] mysql::Capabilities capabilities() const { return capabilities_; }
    // What KILL knows this connection by.
    [[nodiscard]] uint32_t thread_id() const { return thread_id_; }
    // Without the "5.5.5-" in front.
    [[nodiscard]] const std::string& version() const { return version_; }
    // What the login's OK said: status flags, and session-track entries ("" without kSessionTrack).
    [[nodiscard]] uint16_t login_status() const { return login_status_; }
    [[nodiscard]] const std::string& login_track() const { return login_track_; }

    // Sends `text` as COM_QUERY and reads all of its answer. An error of the server to the first statement is
    // a failure with its number; the connection is fine then. After any other failure it must be closed.
    [[nodiscard]] runtime::Task<ServerResult<QueryAnswer>> query(
        std::string text,
        core::Instant deadline,
        QueryBounds bounds = {}
    );

    // Sends all of the commands at once and reads an answer to each. An error of the server is in its answer,
    // and the commands behind it have run all the same. After a failure the connection must be closed. The
    // commands' responses must be of the forms results or one_ok.
    [[nodiscard]] runtime::Task<ServerResult<std::vector<QueryAnswer>>> run_all(
        std::vector<ServerCommand> commands,
        core::Instant deadline,
        QueryBounds bounds = {}
    );

    // COM_STMT_PREPARE of `text`, behind `before`: commands that nothing answers. An error of the server is a
    // failure with its number; after any other failure the connection must be closed.
    [[nodiscard]] runtime::Task<ServerResult<mysql::PreparedStatement>> prepare(
        std::string before,
        const std::string& text,
        core::Instant deadline
    );

    // Sends the commands at once and gives the statement's result. An error of the server to any of them, the
    // first one's, is a failure with its number, and the commands behind it have run all the same; after any
    // other failure the connection must be closed. `order` must live until the end.
    [[nodiscard]] runtime::Task<ServerResult<StatementResult>> run_statement(
        const StatementOrder& order,
        core::Instant deadline
    );

    // Says COM_QUIT, without waiting for anything; the server then does not count an aborted connection.
    void quit();

private:
    // Bytes of one packet of the login or of a short answer; it must fit into the core's read buffer.
    static constexpr uint32_t kPacketMax = 48 << 10;

    // The server lets us in, or wants another answer, to this nonce.
    struct LoginStep {
        bool is_done = false;
        mysql::Nonce nonce{};
    };

    ServerConnection(net::SharedReadBuffer& shared, net::Socket socket, std::string peer);
    runtime::Task<ServerResult<mysql::Nonce>> read_greeting(const ServerLogin& login, core::Instant deadline);
    runtime::Task<ServerResult<void>> log_in(
        const ServerLogin& login,
        mysql::Nonce nonce,
        core::Instant deadline
    );
    runtime::Task<ServerResult<LoginStep>> read_login_step(
        mysql::ResponseReader& reader,
        const std::string& operation,
        core::Instant deadline
    );
    [[nodiscard]] static ServerResult<LoginStep> read_switch(
        std::string_view payload,
        const std::string& operation
    );
    runtime::Task<ServerResult<void>> send_all(
        std::string_view packets,
        const std::string& operation,
        core::Instant deadline
    );
    runtime::Task<ServerResult<QueryAnswer>> read_answer(
        const std::string& operation,
        core::Instant deadline,
        QueryBounds bounds
    );
    runtime::Task<ServerResult<StatementResult>> read_result(
        const StatementOrder& order,
        const std::string& operation,
        core::Instant deadline
    );
    runtime::Task<ServerResult<std::string>> gather_packet(
        const StatementOrder& order,
        const std::string& operation,
        core::Instant deadline
    );
    runtime::Task<ssize_t> receive_for(const StatementOrder& order, core::Instant deadline);
    runtime::Task<ServerResult<size_t>> receive_packet(
        const std::string& operation,
        uint8_t& sequence,
        core::Instant deadline
    );

    net::SharedReadBuffer& shared_;
    net::Socket socket_;
    net::ReadBuffer buffer_;
    std::string peer_;  // for sentences
    mysql::Capabilities capabilities_ = 0;
    uint32_t thread_id_ = 0;
    std::string version_;
    uint16_t login_status_ = 0;
    std::string login_track_;
};

}  // namespace mariadb
