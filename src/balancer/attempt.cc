#include "balancer/attempt.h"

#include <cerrno>

#include "balancer/request_upload.h"
#include "balancer/response_relay.h"
#include "balancer/worker.h"
#include "runtime/task_group.h"

namespace balancer {

using upstream::ConnectionPool;

namespace {

// nullopt: the failure is this machine's own, not the backend's.
std::optional<upstream::PassiveKind> passive_kind(ssize_t result) {
    switch (result) {
        case -EMFILE:
        case -ENFILE:
        case -ENOBUFS:
        case -ENOMEM:
        case -EADDRNOTAVAIL: return std::nullopt;
        case -ECONNREFUSED:
        case -EHOSTUNREACH:
        case -ENETUNREACH:
        case -EHOSTDOWN: return upstream::PassiveKind::refused;
        case -ETIMEDOUT: return upstream::PassiveKind::timeout;
        default: return upstream::PassiveKind::reset;
    }
}

std::optional<upstream::PassiveKind> passive_kind(core::ErrorKind kind) {
    switch (kind) {
        case core::ErrorKind::exhausted: return std::nullopt;
        case core::ErrorKind::refused: return upstream::PassiveKind::refused;
        case core::ErrorKind::timed_out: return upstream::PassiveKind::timeout;
        default: return upstream::PassiveKind::reset;
    }
}

std::unexpected<AttemptFailure> not_connected(
    core::Error error,
    std::optional<upstream::PassiveKind> passive
) {
    return std::unexpected(AttemptFailure{
        .kind = upstream::Failure::connect,
        .sent = upstream::Sent::nothing,
        .connection = upstream::Connection::fresh,
        .answer = upstream::Answer::none,
        .passive = passive,
        .sentence = error.context(),
    });
}

// A request that must not be sent twice goes only over a connection that is certainly not stale; see
// upstream/retry.h.
std::optional<net::Socket> take_pooled(Exchange& exchange, upstream::BackendLink& backend) {
    bool is_repeatable =
        http::is_idempotent(exchange.method) && !exchange.is_upgrade && exchange.body.is_done();
    core::Duration idle_max =
        is_repeatable ? exchange.pool->state().config.idle_timeout : upstream::kYoungIdleMax;
    auto certainty =
        is_repeatable ? ConnectionPool::Certainty::as_seen : ConnectionPool::Certainty::asks_system;
    return exchange.pool->take_idle(backend, idle_max, certainty);
}

// The body goes up while the response is awaited: a backend may answer before it has all of it.
runtime::Task<AttemptResult> relay_with_upload(Exchange& exchange, BackendConnection& connection) {
    Upload upload;
    runtime::TaskGroup uploading(exchange.worker.reactor(), 1);
    uploading.spawn(upload_body(exchange, connection, upload));
    AttemptResult result = co_await relay_response(exchange, connection, &upload);
    uploading.request_stop();
    co_await uploading.join();
    if (upload.state != UploadState::done) {
        // What was taken of the body and what is still to come can no longer be told apart.
        connection.may_be_reused = false;
        exchange.must_close = true;
    }
    co_return result;
}

}  // namespace

bool was_unread(const Exchange& exchange, const BackendConnection& connection) {
    bool is_candidate =
        connection.origin == upstream::Connection::reused && connection.answer == upstream::Answer::none;
    if (!is_candidate) {
        return false;
    }
    runtime::Os& os = exchange.worker.reactor().os();
    int fd = connection.socket.fd();
    return os.pending_error(fd) == 0 && os.unacknowledged(fd) >= int64_t{exchange.request_size};
}

std::unexpected<AttemptFailure> failed_attempt(
    const BackendConnection& connection,
    upstream::Sent sent,
    ssize_t result,
    std::string_view operation
) {
    bool has_timed_out = result == -ETIMEDOUT;
    std::string sentence = result == 0 ? std::string(operation) + ": the backend closed the connection"
                                       : net::error_of(result, operation).context();
    return std::unexpected(AttemptFailure{
        .kind = has_timed_out ? upstream::Failure::timed_out : upstream::Failure::lost,
        .sent = sent,
        .connection = connection.origin,
        .answer = connection.answer,
        .passive = passive_kind(result),
        .sentence = std::move(sentence),
    });
}

runtime::Task<AttemptResult> attempt(Exchange& exchange, upstream::Lease& lease, ConnectionChoice choice) {
    upstream::BackendLink& backend = lease.backend();
    Worker& worker = exchange.worker;
    const TimeoutConfig& timeouts = exchange.snapshot.config.timeouts;
    std::optional<net::Socket> socket;
    if (choice == ConnectionChoice::pooled_or_fresh) {
        socket = take_pooled(exchange, backend);
    }
    auto origin = socket ? upstream::Connection::reused : upstream::Connection::fresh;
    if (!socket) {
        const std::optional<net::Address>& source = exchange.pool->state().config.source;
        auto opened = net::Socket::connect(worker.reactor(), backend.view.address, source);
        if (!opened && opened.error().kind() == core::ErrorKind::exhausted) {
            worker.release_descriptors();  // they hold descriptors that this request needs more
            opened = net::Socket::connect(worker.reactor(), backend.view.address, source);
        }
        if (!opened) {
            auto passive = passive_kind(opened.error().kind());
            co_return not_connected(std::move(opened).error(), passive);
        }
        ssize_t status = co_await opened->connected(worker.now() + timeouts.connect);
        if (status < 0) {
            std::string operation = "connecting to " + backend.view.address.to_string();
            co_return not_connected(net::error_of(status, operation), passive_kind(status));
        }
        socket = std::move(*opened);
        backend.counters.connections.add();
    }
    exchange.timings.connected = worker.now();
    BackendConnection connection(std::move(*socket), worker.shared_buffer(), origin);
    backend.counters.requests.add();
    backend.counters.bytes_out.add(exchange.request_size);
    ssize_t sent = co_await connection.socket
                       .send(worker.buffers(), exchange.request_bytes(), worker.now() + timeouts.body);
    if (sent < 0) {
        co_return failed_attempt(connection, upstream::Sent::some, sent, "sending the request");
    }
    exchange.timings.sent = worker.now();
    AttemptResult result;
    if (exchange.body.is_done()) {
        result = co_await relay_response(exchange, connection, nullptr);
    } else {
        result = co_await relay_with_upload(exchange, connection);
    }
    if (result && connection.may_be_reused) {
        auto certainty = connection.needs_look ? ConnectionPool::Certainty::asks_system
                                               : ConnectionPool::Certainty::as_seen;
        exchange.pool->keep_idle(backend, std::move(connection.socket), certainty);
    }
    co_return result;
}

}  // namespace balancer
