// One attempt to have a request answered by one backend, over one connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "balancer/exchange.h"
#include "net/read_buffer.h"
#include "net/socket.h"
#include "runtime/task.h"
#include "upstream/connection_pool.h"
#include "upstream/health.h"
#include "upstream/retry.h"

namespace balancer {

// Why an attempt gave the client no response. The exchange has not begun a response when one of these is
// returned.
struct AttemptFailure {
    upstream::Failure kind;
    upstream::Sent sent;
    upstream::Connection connection;
    upstream::Answer answer;                       // whether any byte of an answer had come
    std::optional<upstream::PassiveKind> passive;  // what it says of the backend's health; nothing where the
                                                   // fault is ours
    std::string sentence;                          // "connecting to 127.0.0.1:9001: Connection refused"
};

using AttemptResult = std::expected<void, AttemptFailure>;

enum class ConnectionChoice : uint8_t { pooled_or_fresh, fresh };

// The connection to a backend while an exchange uses it.
struct BackendConnection {
    BackendConnection(net::Socket opened, net::SharedReadBuffer& shared, upstream::Connection kind)
        : socket(std::move(opened)), buffer(shared), origin(kind) {}

    net::Socket socket;
    net::ReadBuffer buffer;
    upstream::Connection origin;
    upstream::Answer answer = upstream::Answer::none;
    bool may_be_reused = false;  // both messages ended cleanly
    bool needs_look = false;     // ask the system for stray bytes before it is used again
};

// After the end of the stream, of a request that was sent whole: the backend has closed a pooled connection
// without acknowledging one byte of it, so its program never saw it, whatever the method. The rule, and why a
// reset proves nothing: upstream/retry.h.
[[nodiscard]] bool was_unread(const Exchange& exchange, const BackendConnection& connection);

// An attempt that failed with a system result (-errno, or 0 for the end of the stream).
[[nodiscard]] std::unexpected<AttemptFailure> failed_attempt(
    const BackendConnection& connection,
    upstream::Sent sent,
    ssize_t result,
    std::string_view operation
);

// Sends the request to the leased backend and relays its response. A value: the exchange is settled, well or
// badly, and says so itself. An error: nothing was given to the client, and another attempt may be allowed.
[[nodiscard]] runtime::Task<AttemptResult> attempt(
    Exchange& exchange,
    upstream::Lease& lease,
    ConnectionChoice choice
);

}  // namespace balancer
