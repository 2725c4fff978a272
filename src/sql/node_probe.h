// The router's own questions to one node.
#pragma once

#include <optional>
#include <string>

#include "mysql/gtid.h"
#include "net/read_buffer.h"
#include "sql/server_words.h"
#include "sql/topology.h"

namespace sql {

enum class LookScope : uint8_t { without_beat, with_beat };

class NodeProbe {
public:
    NodeProbe(runtime::Reactor& reactor, net::SharedReadBuffer& shared, net::Address address)
        : connection_(reactor, shared, std::move(address)) {}

    // See KeptConnection::ask().
    [[nodiscard]] [[clang::coro_wrapper]] runtime::Task<ServerResult<QueryAnswer>> ask(
        const LoginAccount& account,
        std::string text,
        core::Instant deadline,
        QueryBounds bounds = {}
    ) {
        return connection_.ask(account, std::move(text), deadline, bounds);
    }

    // with_beat reads the heartbeat's table too. Nothing: the fiber was asked to stop, or this machine has no
    // descriptor left for a look.
    [[nodiscard]] runtime::Task<std::optional<Look>> look(
        const LoginAccount& account,
        core::Instant deadline,
        LookScope scope
    );

    // @@gtid_slave_pos, over the connection that is there; nothing without one, or where it fails.
    [[nodiscard]] runtime::Task<std::optional<mysql::GtidPosition>> applied(
        const LoginAccount& account,
        core::Instant deadline
    );

    // Null without a connection; valid until the next question.
    [[nodiscard]] net::Socket* socket() { return connection_.socket(); }

    void close() { connection_.close(); }

private:
    mariadb::KeptConnection connection_;
};

}  // namespace sql
