// The client that never retries; see sim_client.h.
#include "sim/sim_client.h"

#include <charconv>
#include <format>

namespace sim {

runtime::Task<void> SimClient::run() {
    for (size_t count = 0; count < plan_.requests; ++count) {
        auto think = static_cast<uint64_t>(plan_.think_max.count());
        runtime::Outcome slept = co_await reactor_.sleep_for(core::Duration(random_.below(think + 1)));
        if (slept == runtime::Outcome::cancelled) {
            break;
        }
        Answer answer{.id = plan_.first_id + count, .kind = draw_kind(), .origin = {}};
        core::Instant begin = reactor_.now();
        co_await exchange(answer);
        answer.took = reactor_.now() - begin;
        answers_.push_back(std::move(answer));
        if (random_.below(100) < plan_.leave_percent) {
            drop_connection();
        }
    }
    drop_connection();
}

runtime::Task<void> SimClient::exchange(Answer& answer) {
    core::Instant deadline = reactor_.now() + plan_.patience;
    if (socket_ && socket_->peek() != net::Peek::quiet) {
        drop_connection();  // it was closed between two requests: the next one was not sent, so this is no
                            // retry
    }
    if (!socket_) {
        auto socket = net::Socket::connect(reactor_, plan_.target);
        if (!socket) {
            co_return;
        }
        socket_.emplace(std::move(*socket));
        ssize_t status = co_await socket_->connected(deadline);
        if (status != 0) {
            co_return drop_connection();
        }
    }
    std::string text = request_text(answer);
    [[maybe_unused]] ssize_t sent = co_await socket_->send(memory_.pool, text, deadline);
    // A request that could not be sent whole may have been answered all the same (an early refusal).
    auto response = co_await read_answer(answer.kind, deadline);
    if (!response) {
        note_broken(answer);
        co_return drop_connection();
    }
    answer.has_begun = true;
    std::string_view status = response->second_word();
    std::from_chars(status.data(), status.data() + status.size(), answer.status);
    answer.origin = response->field("x-origin");
    bool is_numbered = response->field("x-number") == std::to_string(answer.id);
    answer.is_body_right =
        is_numbered &&
        response->body == (answer.kind == RequestKind::head ? std::string() : answer_body(answer.id));
    if (response->field("connection") == "close" || sent != 0) {
        drop_connection();
    }
}

runtime::Task<std::optional<PlainMessage>> SimClient::read_answer(RequestKind kind, core::Instant deadline) {
    net::ReadBuffer buffer(memory_.shared);
    BodyRule rule = kind == RequestKind::head ? BodyRule::answers_head : BodyRule::may_have_body;
    while (true) {
        if (auto response = take_response(received_, rule, StreamState::open)) {
            co_return response;
        }
        ssize_t count = co_await socket_->receive(buffer, deadline);
        if (count == 0) {
            co_return take_response(received_, rule, StreamState::ended);
        }
        if (count < 0) {
            co_return std::nullopt;
        }
        received_ += buffer.bytes();
        buffer.consume(buffer.bytes().size());
    }
}

// Who began the answer that did not come to its end.
void SimClient::note_broken(Answer& answer) const {
    if (auto head = peek_head(received_)) {
        answer.has_begun = true;
        answer.origin = head->field("x-origin");
    }
}

std::string SimClient::request_text(const Answer& answer) {
    constexpr std::array<std::string_view, 4> kMethods{"GET", "HEAD", "POST", "POST"};
    std::string text = std::format(
        "{} /things/{} HTTP/1.1\r\nHost: {}\r\nX-Number: {}\r\n",
        kMethods[std::to_underlying(answer.kind)],
        answer.id,
        plan_.host,
        answer.id
    );
    if (!answer.is_post()) {
        return text + "\r\n";
    }
    std::string body = request_body(answer.id);
    if (answer.kind == RequestKind::post) {
        return text + std::format("Content-Length: {}\r\n\r\n", body.size()) + body;
    }
    text += "Transfer-Encoding: chunked\r\n\r\n";
    for (std::string_view rest = body; !rest.empty();) {
        size_t size = 1 + random_.below(rest.size());
        text += std::format("{:x}\r\n{}\r\n", size, rest.substr(0, size));
        rest.remove_prefix(size);
    }
    return text + "0\r\n\r\n";
}

RequestKind SimClient::draw_kind() {
    if (random_.below(100) < plan_.post_percent) {
        return random_.below(2) == 0 ? RequestKind::post : RequestKind::chunked_post;
    }
    return random_.below(8) == 0 ? RequestKind::head : RequestKind::get;
}

void SimClient::drop_connection() {
    socket_.reset();
    received_.clear();
}

}  // namespace sim
