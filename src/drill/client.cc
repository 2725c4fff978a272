#include "drill/client.h"

#include <format>

#include "http/body_reader.h"
#include "http/response_reader.h"

namespace drill {

namespace {

constexpr uint32_t kAnswerHeadMax = 48 << 10;

// Of a wait that gave `result` <= 0. An answer that has begun is cut, whatever ended it.
ClientAnswer broken(ssize_t result, bool has_begun) {
    if (has_begun) {
        return {.outcome = Outcome::cut};
    }
    return {.outcome = result == -ETIMEDOUT ? Outcome::timed_out : Outcome::unanswered};
}

}  // namespace

runtime::Task<ClientAnswer> Client::ask(ClientRequest request, core::Instant deadline) {
    // A browser, too, sees first whether the site has closed a connection that was idle.
    if (socket_ && socket_->peek() != net::Peek::quiet) {
        socket_.reset();
    }
    if (!socket_) {
        ClientAnswer connected = co_await connect(deadline);
        if (connected.outcome != Outcome::good) {
            socket_.reset();
            co_return connected;
        }
    }
    ssize_t sent = co_await socket_->send(world_.shared.pool(), text_of(request), deadline);
    if (sent < 0) {
        socket_.reset();
        co_return broken(sent, false);
    }
    ClientAnswer answer = co_await read_answer(request, deadline);
    if (answer.outcome != Outcome::good) {
        socket_.reset();
    } else if (answer.status >= 400) {
        answer.outcome = Outcome::status;
    }
    co_return answer;
}

runtime::Task<ClientAnswer> Client::connect(core::Instant deadline) {
    auto socket = net::Socket::connect(world_.reactor, world_.address);
    if (!socket) {
        co_return ClientAnswer{.outcome = Outcome::refused};
    }
    socket_ = *std::move(socket);
    ssize_t status = co_await socket_->connected(deadline);
    if (status < 0) {
        co_return ClientAnswer{.outcome = status == -ETIMEDOUT ? Outcome::timed_out : Outcome::refused};
    }
    co_return ClientAnswer{};
}

std::string Client::text_of(const ClientRequest& request) const {
    std::string text = std::format(
        "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: trilith-drill\r\nAccept: */*\r\n",
        http::method_name(request.method),
        request.path,
        world_.host
    );
    if (std::string cookies = cookies_.field(); !cookies.empty()) {
        text += "Cookie: " + cookies + "\r\n";
    }
    if (!http::is_safe(request.method)) {
        text += std::format(
            "Content-Type: {}\r\nContent-Length: {}\r\n",
            request.content_type,
            request.body.size()
        );
    }
    return text + "\r\n" + request.body;
}

runtime::Task<ClientAnswer> Client::read_answer(const ClientRequest& request, core::Instant deadline) {
    net::ReadBuffer buffer(world_.shared);
    http::HeadProgress progress;
    http::ResponseHead head;
    for (;;) {
        http::HeadResult parsed;
        if (!buffer.is_empty()) {
            std::string_view bytes = buffer.bytes().substr(0, kAnswerHeadMax + 1);
            http::HeadLimits limits{.head_max = kAnswerHeadMax, .fields_max = world_.fields.capacity()};
            parsed = http::parse_response_head(bytes, limits, progress, world_.fields, head, request.method);
        }
        if (parsed.outcome == http::HeadOutcome::refused) {
            co_return ClientAnswer{.outcome = Outcome::malformed};
        }
        if (parsed.outcome == http::HeadOutcome::complete) {
            bool is_interim = head.is_interim();
            if (!is_interim) {
                take_cookies(buffer.bytes());
            }
            buffer.consume(parsed.length);
            progress = {};
            if (!is_interim) {
                break;
            }
            continue;
        }
        ssize_t received = co_await socket_->receive(buffer, deadline);
        if (received <= 0) {
            co_return broken(received, !buffer.is_empty());
        }
    }
    ClientAnswer answer = co_await read_body(buffer, head.framing, request.wanted, deadline);
    answer.status = head.status;
    if (head.keep_alive == http::KeepAlive::close || !buffer.is_empty()) {
        socket_.reset();
    }
    co_return answer;
}

runtime::Task<ClientAnswer> Client::read_body(
    net::ReadBuffer& buffer,
    http::Framing framing,
    Body wanted,
    core::Instant deadline
) {
    ClientAnswer answer;
    http::BodyReader reader(framing);
    while (!reader.is_done()) {
        if (buffer.is_empty()) {
            ssize_t received = co_await socket_->receive(buffer, deadline);
            if (received == 0 && reader.end_of_stream()) {
                break;
            }
            if (received <= 0) {
                co_return broken(received, true);
            }
        }
        http::BodyPiece piece = reader.next(buffer);
        if (!piece.refused.empty()) {
            co_return ClientAnswer{.outcome = Outcome::malformed};
        }
        if (wanted == Body::kept && answer.body.size() < kBodyBytesMax) {
            answer.body += piece.data.substr(0, kBodyBytesMax - answer.body.size());
        }
        buffer.consume(piece.consumed);
    }
    co_return answer;
}

void Client::take_cookies(std::string_view head) {
    if (world_.fields.find(http::FieldId::set_cookie) == nullptr) {
        return;
    }
    for (const http::Field& field : world_.fields.fields()) {
        if (field.id == http::FieldId::set_cookie) {
            cookies_.take(field.value.in(head.data()));
        }
    }
}

}  // namespace drill
