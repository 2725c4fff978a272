// A connection of our own to one database server: kept open, opened again when it breaks, one question at a
// time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "mariadb/server_connection.h"
#include "mysql/native_password.h"
#include "net/read_buffer.h"

namespace mariadb {

// By what we log in.
struct LoginAccount {
    std::string user{};
    std::optional<mysql::PasswordKey> key{};  // none: no password
};

class KeptConnection {
public:
    KeptConnection(runtime::Reactor& reactor, net::SharedReadBuffer& shared, net::Address address)
        : reactor_(reactor), shared_(shared), address_(std::move(address)) {}

    // All statements of `text` in one round trip, over a new connection if the old one turns out to be
    // broken: then the statements may run twice. An error of the server closes it. `account` must live until
    // the end.
    [[nodiscard]] runtime::Task<ServerResult<QueryAnswer>> ask(
        const LoginAccount& account,
        std::string text,
        core::Instant deadline,
        QueryBounds bounds = {}
    );

    // Null without a connection; valid until the next question.
    [[nodiscard]] net::Socket* socket() { return connection_ ? &connection_->socket() : nullptr; }

    // Of the server that answered last; only while there is a connection (asserted).
    [[nodiscard]] const std::string& version() const;

    [[nodiscard]] bool is_open() const { return connection_ != nullptr; }

    void close();

private:
    runtime::Reactor& reactor_;
    net::SharedReadBuffer& shared_;
    net::Address address_;
    std::unique_ptr<ServerConnection> connection_;
};

}  // namespace mariadb
