#include "mariadb/server_connection.h"

#include <algorithm>

#include "core/panic.h"
#include "mariadb/server_failure.h"
#include "mysql/login.h"
#include "mysql/response_reader.h"
#include "mysql/wire.h"

namespace mariadb {

namespace {

// What a server may make us answer until it lets us in: each way in of an account is one switch.
constexpr int kAuthSwitchesMax = 4;
constexpr size_t kVersionMax = 256;
constexpr uint32_t kLoginPacketMax = uint32_t{1} << 30;  // what we take: as much as a server can send
constexpr mysql::Capabilities kAlways =
    mysql::kProtocol41 | mysql::kSecureConnection | mysql::kPluginAuth | mysql::kClientMysql;

std::string_view bytes_of(const mysql::Sha1& hash) {
    return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

// What cannot be said in a login packet.
std::optional<ServerFailure> check(const ServerLogin& login) {
    bool has_nul = login.user.find('\0') != std::string_view::npos ||
                   login.database.find('\0') != std::string_view::npos;
    if (has_nul) {
        return failure(core::ErrorKind::invalid, "a NUL in the name of a user or database");
    }
    bool is_too_long = login.user.size() > mysql::kUserMax || login.database.size() > mysql::kDatabaseMax ||
                       login.connect_attributes.size() > ServerConnection::kConnectAttributesMax;
    if (is_too_long) {
        return failure(core::ErrorKind::too_large, "a name or connection attributes too long for a login");
    }
    return std::nullopt;
}

mysql::Capabilities wanted_capabilities(const ServerLogin& login) {
    mysql::Capabilities wanted = login.capabilities | kAlways;
    wanted &= ~(mysql::kConnectWithDatabase | mysql::kConnectAttributes | mysql::kLengthEncodedAuth);
    if (!login.database.empty()) {
        wanted |= mysql::kConnectWithDatabase;
    }
    if (!login.connect_attributes.empty()) {
        wanted |= mysql::kConnectAttributes;
    }
    return wanted;
}

}  // namespace

ServerConnection::ServerConnection(net::SharedReadBuffer& shared, net::Socket socket, std::string peer)
    : shared_(shared), socket_(std::move(socket)), buffer_(shared), peer_(std::move(peer)) {}

runtime::Task<ServerResult<std::unique_ptr<ServerConnection>>> ServerConnection::open(
    net::SharedReadBuffer& shared,
    runtime::Reactor& reactor,
    net::Address address,
    ServerLogin login,
    core::Instant deadline,
    std::optional<net::Address> source
) {
    ASSERT((login.capabilities & (mysql::kUntranslatable | mysql::kTls)) == 0);
    ASSERT(login.collation <= UINT8_MAX);
    if (auto problem = check(login)) {
        co_return std::unexpected(std::move(*problem));
    }
    auto opened = net::Socket::connect(reactor, address, source);
    if (!opened) {
        co_return failed(opened.error().kind(), opened.error().context());
    }
    ssize_t status = co_await opened->connected(deadline);
    std::string peer = address.to_string();
    if (status < 0) {
        co_return failed(status, "connecting to " + peer);
    }
    std::unique_ptr<ServerConnection> made(new ServerConnection(shared, std::move(*opened), std::move(peer)));
    ServerResult<mysql::Nonce> nonce = co_await made->read_greeting(login, deadline);
    if (!nonce) {
        co_return std::unexpected(std::move(nonce).error());
    }
    ServerResult<void> entered = co_await made->log_in(login, *nonce, deadline);
    if (!entered) {
        co_return std::unexpected(std::move(entered).error());
    }
    co_return made;
}

runtime::Task<ServerResult<mysql::Nonce>> ServerConnection::read_greeting(
    const ServerLogin& login,
    core::Instant deadline
) {
    std::string operation = "the greeting of " + peer_;
    uint8_t sequence = 0;
    ServerResult<size_t> size = co_await receive_packet(operation, sequence, deadline);
    if (!size) {
        co_return std::unexpected(std::move(size).error());
    }
    auto read = mysql::read_greeting(buffer_.bytes().substr(mysql::kPacketHeaderSize, *size));
    if (!read) {
        co_return failed(read.error().kind(), operation + ": " + read.error().context());
    }
    if (const auto* error = std::get_if<mysql::ErrorPacket>(&*read)) {
        co_return std::unexpected(failure_of(*error));
    }
    const auto& greeting = std::get<mysql::Greeting>(*read);
    capabilities_ = wanted_capabilities(login) & greeting.capabilities;
    bool has_database = login.database.empty() || mysql::has(capabilities_, mysql::kConnectWithDatabase);
    if (!has_database) {
        co_return failed(core::ErrorKind::unsupported, operation + ": no login with a database");
    }
    thread_id_ = greeting.thread_id;
    version_ = mysql::version_without_prefix(greeting.version).substr(0, kVersionMax);
    mysql::Nonce nonce = greeting.nonce;
    buffer_.consume(mysql::kPacketHeaderSize + *size);
    co_return nonce;
}

runtime::Task<ServerResult<void>> ServerConnection::log_in(
    const ServerLogin& login,
    mysql::Nonce nonce,
    core::Instant deadline
) {
    mysql::Sha1 answer{};
    if (login.key != nullptr) {
        answer = mysql::password_answer(*login.key, nonce);
    }
    mysql::Login fields{
        .capabilities = capabilities_,
        .packet_max = kLoginPacketMax,
        .collation = login.collation,
        .user = login.user,
        .auth_response = login.key != nullptr ? bytes_of(answer) : std::string_view{},
        .database = login.database,
        .plugin = mysql::has(capabilities_, mysql::kPluginAuth) ? mysql::kNativePassword : std::string_view{},
        .connect_attributes = mysql::has(capabilities_, mysql::kConnectAttributes) ? login.connect_attributes
                                                                                   : std::string_view{},
    };
    std::string packet;
    mysql::PayloadWriter writer(packet);
    writer.begin_packet();
    mysql::write_login(writer, fields);
    uint8_t sequence = writer.end_packet(1);
    std::string operation = "logging in at " + peer_;
    packet.insert(0, login.proxy_header);
    ssize_t sent = co_await socket_.send(shared_.pool(), packet, deadline);
    if (sent < 0) {
        co_return failed(sent, operation);
    }
    mysql::ResponseReader reader({
        .form = mysql::ResponseForm::authentication,
        .sequence = sequence,
        .capabilities = capabilities_,
        .whole_packet_max = kPacketMax,
    });
    for (int switches = 0; switches < kAuthSwitchesMax; ++switches) {
        ServerResult<LoginStep> step = co_await read_login_step(reader, operation, deadline);
        if (!step) {
            co_return std::unexpected(std::move(step).error());
        }
        if (step->is_done) {
            co_return ServerResult<void>{};
        }
        std::string reply;
        mysql::PayloadWriter reply_writer(reply);
        reply_writer.begin_packet();
        if (login.key != nullptr) {
            answer = mysql::password_answer(*login.key, step->nonce);
            reply_writer.bytes(bytes_of(answer));
        }
        uint8_t next = reply_writer.end_packet(reader.next_sequence());
        sent = co_await socket_.send(shared_.pool(), reply, deadline);
        if (sent < 0) {
            co_return failed(sent, operation);
        }
        reader.resume(next);
    }
    co_return failed(core::ErrorKind::invalid, operation + ": the server asks again and again for a plugin");
}

runtime::Task<ServerResult<ServerConnection::LoginStep>> ServerConnection::read_login_step(
    mysql::ResponseReader& reader,
    const std::string& operation,
    core::Instant deadline
) {
    for (;;) {
        mysql::ResponseStep step = reader.read(buffer_.bytes());
        switch (step.event) {
            case mysql::ResponseEvent::result_end:
                login_status_ = step.ok.status;
                login_track_ = step.ok.session_track;
                buffer_.consume(step.consumed);
                co_return LoginStep{.is_done = true};
            case mysql::ResponseEvent::error: co_return std::unexpected(failure_of(step.error));
            case mysql::ResponseEvent::auth_switch: {
                ServerResult<LoginStep> asked = read_switch(step.payload, operation);
                buffer_.consume(step.consumed);
                co_return asked;
            }
            case mysql::ResponseEvent::more_bytes: break;
            case mysql::ResponseEvent::failed:
                co_return failed(core::ErrorKind::invalid, operation + ": " + std::string(step.reason));
            default: co_return failed(core::ErrorKind::unsupported, operation + ": an unknown way to log in");
        }
        buffer_.consume(step.consumed);
        ssize_t received = co_await socket_.receive(buffer_, deadline);
        if (received <= 0) {
            co_return failed(received, operation);
        }
    }
}

ServerResult<ServerConnection::LoginStep> ServerConnection::read_switch(
    std::string_view payload,
    const std::string& operation
) {
    mysql::AuthSwitch request;
    if (!mysql::read_auth_switch(payload, request)) {
        return failed(
            core::ErrorKind::unsupported,
            operation + ": the server wants the password of before 4.1"
        );
    }
    if (request.plugin != mysql::kNativePassword) {
        return failed(
            core::ErrorKind::unsupported,
            operation + ": the account is checked by the plugin \"" + std::string(request.plugin) +
                "\"; only mysql_native_password can be used"
        );
    }
    if (request.nonce.size() != mysql::kNonceSize) {
        return failed(core::ErrorKind::invalid, operation + ": a nonce of another length than 20 bytes");
    }
    LoginStep step;
    std::ranges::copy(request.nonce, step.nonce.begin());
    return step;
}

// Gives the size of the payload that lies whole in the buffer, behind its header.

}  // namespace mariadb
