#include "balancer/health_probe.h"

#include "http/body_reader.h"
#include "http/response_reader.h"
#include "net/socket.h"

namespace balancer {

using upstream::CheckResult;
using upstream::CheckVerdict;

namespace {

constexpr uint32_t kFieldsMax = 200;
constexpr uint32_t kHeadMax = 32 << 10;
constexpr size_t kBodyMax = 64 << 10;

CheckResult failed(std::string sentence) {
    return {.verdict = CheckVerdict::failed, .sentence = std::move(sentence)};
}

CheckResult judge(const http::ResponseHead& head, const std::string& operation) {
    bool is_good = head.status >= 200 && head.status < 400;
    return {
        .verdict = is_good ? CheckVerdict::good : CheckVerdict::failed,
        .sentence = operation + ": " + std::to_string(head.status),
    };
}

// Takes the body too, as far as it is short: a program whose answer nobody takes may log that at every check.
// It says nothing about health.
runtime::Task<void> read_body(
    net::Socket& socket,
    net::ReadBuffer& buffer,
    http::Framing framing,
    core::Instant deadline
) {
    http::BodyReader body(framing);
    for (size_t total = 0; total < kBodyMax;) {
        http::BodyPiece piece = body.next(buffer);
        total += piece.consumed;
        buffer.consume(piece.consumed);
        if (body.is_done() || !piece.refused.empty()) {
            co_return;
        }
        if (buffer.is_empty() || piece.consumed == 0) {
            ssize_t received = co_await socket.receive(buffer, deadline);
            if (received <= 0) {
                co_return;
            }
        }
    }
}

runtime::Task<CheckResult> read_status(
    net::Socket& socket,
    net::SharedReadBuffer& shared,
    const std::string& operation,
    core::Instant deadline
) {
    net::ReadBuffer buffer(shared);
    http::FieldTable fields(kFieldsMax);
    http::HeadProgress progress;
    http::ResponseHead head;
    for (;;) {
        http::HeadResult parsed;
        if (!buffer.is_empty()) {
            std::string_view bytes = buffer.bytes().substr(0, kHeadMax + 1);
            http::HeadLimits limits{.head_max = kHeadMax, .fields_max = kFieldsMax};
            parsed = http::parse_response_head(bytes, limits, progress, fields, head, http::Method::get);
        }
        if (parsed.outcome == http::HeadOutcome::refused) {
            co_return failed(operation + ": malformed answer: " + std::string(parsed.reason));
        }
        if (parsed.outcome == http::HeadOutcome::complete && !head.is_interim()) {
            CheckResult verdict = judge(head, operation);
            buffer.consume(parsed.length);
            co_await read_body(socket, buffer, head.framing, deadline);
            co_return verdict;
        }
        if (parsed.outcome == http::HeadOutcome::complete) {
            buffer.consume(parsed.length);
            progress = {};
            continue;
        }
        ssize_t received = co_await socket.receive(buffer, deadline);
        if (received == 0) {
            co_return failed(operation + ": the connection was closed before an answer");
        }
        if (received < 0) {
            co_return failed(net::error_of(received, operation).context());
        }
    }
}

}  // namespace

runtime::Task<std::optional<CheckResult>> probe(
    runtime::Reactor& reactor,
    net::SharedReadBuffer& shared,
    const net::Address& address,
    const upstream::HealthConfig& config
) {
    core::Instant deadline = reactor.now() + config.timeout;
    auto socket = net::Socket::connect(reactor, address);
    if (!socket && socket.error().kind() == core::ErrorKind::exhausted) {
        co_return std::nullopt;
    }
    if (!socket) {
        co_return failed(socket.error().context());
    }
    ssize_t status = co_await socket->connected(deadline);
    if (status < 0) {
        co_return failed(net::error_of(status, "connecting to " + address.to_string()).context());
    }
    if (!config.path) {
        // RST instead of FIN: the backend's program never sees a connection that is only a check (as HAProxy
        // does).
        socket->reset_on_close();
        co_return CheckResult{.verdict = CheckVerdict::good, .sentence = "TCP connect"};
    }
    std::string operation = "GET " + *config.path;
    std::string host = address.family() == AF_UNIX ? "localhost" : address.to_string();
    std::string request = operation + " HTTP/1.1\r\nHost: " + host +
                          "\r\nUser-Agent: trilith-health\r\nAccept: */*\r\nConnection: close\r\n\r\n";
    ssize_t sent = co_await socket->send(shared.pool(), request, deadline);
    if (sent < 0) {
        co_return failed(net::error_of(sent, operation).context());
    }
    co_return co_await read_status(*socket, shared, operation, deadline);
}

}  // namespace balancer
