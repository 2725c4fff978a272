// The router's own connection to one node: kept open, opened again when it breaks, one question at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "mysql/gtid.h"
#include "mysql/native_password.h"
#include "net/read_buffer.h"
#include "sql/server_connection.h"
#include "sql/topology.h"

namespace sql {

// By what the router itself logs in at the nodes.
struct RouterAccount {
    std::string user{};
    std::optional<mysql::PasswordKey> key{};  // none: no password
};

enum class LookScope : uint8_t { without_beat, with_beat };

class NodeProbe {
public:
    NodeProbe(runtime::Reactor& reactor, net::SharedReadBuffer& shared, net::Address address)
        : reactor_(reactor), shared_(shared), address_(std::move(address)) {}

    // All statements of `text` in one round trip, over a new connection if the old one turns out to be
    // broken. `account` must live until the end.
    [[nodiscard]] runtime::Task<ServerResult<QueryAnswer>> ask(
        const RouterAccount& account,
        std::string text,
        core::Instant deadline,
        QueryBounds bounds = {}
    );

    // with_beat reads the heartbeat's table too. Nothing: the fiber was asked to stop, or this machine has no
    // descriptor left for a look.
    [[nodiscard]] runtime::Task<std::optional<Look>> look(
        const RouterAccount& account,
        core::Instant deadline,
        LookScope scope
    );

    // @@gtid_slave_pos, over the connection that is there; nothing without one, or where it fails.
    [[nodiscard]] runtime::Task<std::optional<mysql::GtidPosition>> applied(
        const RouterAccount& account,
        core::Instant deadline
    );

    // Null without a connection; valid until the next question.
    [[nodiscard]] net::Socket* socket() { return connection_ ? &connection_->socket() : nullptr; }

    void close();

private:
    runtime::Reactor& reactor_;
    net::SharedReadBuffer& shared_;
    net::Address address_;
    std::unique_ptr<ServerConnection> connection_;
};

}  // namespace sql
