#include "node/control/server.h"

#include <cerrno>

#include "http/body_reader.h"
#include "http/request_reader.h"
#include "http/status.h"

namespace node {

namespace {

constexpr size_t kControlConnectionsMax = 64;
constexpr size_t kBodyMax = 64 << 10;
constexpr uint32_t kHeadMax = 8 << 10;
constexpr uint32_t kRequestFieldsMax = 64;
constexpr core::Duration kRequestTime = std::chrono::seconds(10);
constexpr core::Duration kExhaustedWait = std::chrono::milliseconds(100);
constexpr size_t kSendBytes = 64 << 10;

struct ReadRequest {
    http::RequestHead head;
    std::string path;
    std::string body;
    uint16_t refused = 0;  // the status to answer instead
};

ReadRequest refused(uint16_t status) { return {.head = {}, .path = {}, .body = {}, .refused = status}; }

// Reads one whole request. nullopt: the client is gone or too slow.
runtime::Task<std::optional<ReadRequest>> read_request(
    net::Socket& socket,
    net::SharedReadBuffer& shared,
    core::Instant deadline
) {
    net::ReadBuffer buffer(shared);
    http::FieldTable fields(kRequestFieldsMax);
    http::HeadProgress progress;
    ReadRequest request;
    http::HeadResult head;
    while (head.outcome == http::HeadOutcome::need_more) {
        ssize_t received = co_await socket.receive(buffer, deadline);
        if (received <= 0) {
            co_return std::nullopt;
        }
        head = http::parse_request_head(
            buffer.bytes().substr(0, kHeadMax + 1),
            {.uri_max = kHeadMax, .head_max = kHeadMax, .fields_max = kRequestFieldsMax},
            progress,
            fields,
            request.head
        );
    }
    if (head.outcome == http::HeadOutcome::refused) {
        co_return refused(head.status);
    }
    request.path = request.head.path.in(buffer.bytes().data());
    buffer.consume(head.length);
    http::BodyReader body(request.head.framing);
    while (!body.is_done()) {
        if (buffer.is_empty()) {
            ssize_t received = co_await socket.receive(buffer, deadline);
            if (received <= 0) {
                co_return std::nullopt;
            }
        }
        http::BodyPiece piece = body.next(buffer);
        if (!piece.refused.empty()) {
            co_return refused(400);
        }
        request.body += piece.data;
        buffer.consume(piece.consumed);
        if (request.body.size() > kBodyMax) {
            co_return refused(413);
        }
    }
    co_return request;
}

}  // namespace

ControlServer::ControlServer(runtime::Reactor& reactor, net::Listener listener, Handler handler)
    : reactor_(reactor),
      listener_(std::move(listener)),
      handler_(std::move(handler)),
      shared_buffer_(buffers_),
      connections_(reactor, kControlConnectionsMax) {}

runtime::Task<void> ControlServer::serve() {
    for (;;) {
        if (co_await connections_.room() == runtime::Outcome::cancelled) {
            break;
        }
        sockaddr_storage peer;
        ssize_t fd = co_await listener_.accept(peer);
        if (fd == -ECANCELED) {
            break;
        }
        if (fd < 0) {
            co_await reactor_.sleep_for(kExhaustedWait);
            continue;
        }
        connections_.spawn(serve_connection(static_cast<int>(fd)));
    }
    listener_.close();
    connections_.request_stop();
    co_await connections_.join();
}

runtime::Task<void> ControlServer::serve_connection(int fd) {
    net::Socket socket(reactor_, fd);
    core::Instant deadline = reactor_.now() + kRequestTime;
    auto request = co_await read_request(socket, shared_buffer_, deadline);
    if (!request) {
        co_return;
    }
    ControlReply reply;
    if (request->refused != 0) {
        reply = {
            .status = request->refused,
            .body = "{\"error\":\"the request is malformed or too large\"}\n"
        };
    } else {
        reply = handler_({.method = request->head.method, .path = request->path, .body = request->body});
    }
    if (request->head.method == http::Method::head) {
        reply.body.clear();
    }
    co_await send(socket, reply, deadline);
}

runtime::Task<void> ControlServer::send(
    net::Socket& socket,
    const ControlReply& reply,
    core::Instant deadline
) {
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " " +
                       std::string(http::reason_phrase(reply.status)) +
                       "\r\nContent-Type: " + std::string(reply.content_type) +
                       "\r\nContent-Length: " + std::to_string(reply.body.size()) +
                       "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n" + reply.body;
    std::string_view rest = text;
    while (!rest.empty()) {
        std::string_view piece = rest.substr(0, kSendBytes);
        ssize_t sent = co_await socket.send(buffers_, piece, deadline);
        if (sent < 0) {
            co_return;
        }
        rest.remove_prefix(piece.size());
    }
}

}  // namespace node
