// The client that never retries; see sim_client.h.
#include "sim/sim_client.h"

#include <algorithm>
#include <charconv>
#include <format>
#include <iterator>

namespace sim {

auto SimClient::pause(uint64_t microseconds_max) {
    return reactor_.sleep_for(std::chrono::microseconds(random_.below(microseconds_max + 1)));
}

runtime::Task<void> SimClient::run() {
    while (answers_.size() < plan_.requests) {
        auto think = static_cast<uint64_t>(plan_.think_max / std::chrono::microseconds(1));
        runtime::Outcome slept = co_await pause(think);
        if (slept == runtime::Outcome::cancelled) {
            break;
        }
        std::vector<Answer> batch = draw_batch();
        co_await exchange(batch);
        std::ranges::move(batch, std::back_inserter(answers_));
        if (draw(plan_.leave_percent)) {
            drop_connection();
        }
    }
    drop_connection();
}

std::vector<Answer> SimClient::draw_batch() {
    uint64_t next = plan_.first_id + answers_.size();
    std::vector<Answer> batch;
    batch.push_back(draw_request(next));
    if (batch[0].is_post() || batch[0].is_old || !draw(plan_.pipeline_percent)) {
        return batch;
    }
    for (uint64_t more = 1 + random_.below(3); more > 0 && answers_.size() + batch.size() < plan_.requests;
         --more) {
        auto kind = random_.below(4) == 0 ? RequestKind::head : RequestKind::get;
        batch.push_back({.id = ++next, .kind = kind, .origin = {}});
    }
    return batch;
}

Answer SimClient::draw_request(uint64_t id) {
    Answer answer{.id = id, .kind = draw_kind(), .origin = {}};
    answer.is_old = draw(plan_.old_percent);
    if (answer.is_old && answer.kind == RequestKind::chunked_post) {
        answer.kind = RequestKind::post;
    }
    answer.is_expecting = !answer.is_old && answer.is_post() && draw(plan_.expect_percent);
    return answer;
}

runtime::Task<void> SimClient::exchange(std::vector<Answer>& batch) {
    core::Instant deadline = reactor_.now() + plan_.patience;
    bool is_connected = co_await connect(deadline);
    if (!is_connected) {
        batch.erase(batch.begin() + 1, batch.end());
        co_return;
    }
    std::string text;
    for (const Answer& answer : batch) {
        text += request_text(answer);
    }
    if (draw(plan_.abandon_percent)) {
        co_return co_await abandon(batch, std::move(text), deadline);
    }
    Pace pace = draw(plan_.slow_percent) ? Pace::slow : Pace::quick;
    bool was_refused = false;
    if (batch[0].is_expecting) {
        size_t head = text.find("\r\n\r\n") + 4;
        co_await send(text.substr(0, head), pace, deadline);
        text.erase(0, head);
        was_refused = !co_await await_continue(batch[0], deadline);
    }
    if (!was_refused) {
        co_await send(std::move(text), pace, deadline);
    }
    for (size_t at = 0; at < batch.size(); ++at) {
        bool goes_on = co_await receive(batch[at], pace, deadline);
        if (!goes_on || was_refused) {
            batch.erase(batch.begin() + static_cast<ptrdiff_t>(at) + 1, batch.end());
            drop_connection();
        }
    }
}

runtime::Task<bool> SimClient::connect(core::Instant deadline) {
    if (socket_ && socket_->peek() != net::Peek::quiet) {
        drop_connection();  // closed between two requests: nothing was sent, so this is no retry
    }
    if (socket_) {
        co_return true;
    }
    auto socket = net::Socket::connect(reactor_, plan_.target);
    if (!socket) {
        co_return false;
    }
    socket_.emplace(std::move(*socket));
    ssize_t status = co_await socket_->connected(deadline);
    if (status != 0) {
        drop_connection();
    }
    co_return status == 0;
}

// A request that cannot be sent whole may be answered all the same (an early refusal): the answer tells.
runtime::Task<void> SimClient::send(std::string text, Pace pace, core::Instant deadline) {
    std::string_view rest = text;
    while (pace == Pace::slow && rest.size() > 1 && random_.below(4) != 0) {
        size_t size = 1 + random_.below(rest.size() - 1);
        ssize_t sent = co_await socket_->send(memory_.pool, rest.substr(0, size), deadline);
        if (sent != 0) {
            co_return;
        }
        rest.remove_prefix(size);
        [[maybe_unused]] runtime::Outcome slept = co_await pause(20'000);
    }
    [[maybe_unused]] ssize_t sent = co_await socket_->send(memory_.pool, rest, deadline);
}

// Until the other side says something, or for a second: then the body goes all the same (RFC 9110 section
// 10.1.1). False: an answer is there without the body.
runtime::Task<bool> SimClient::await_continue(Answer& answer, core::Instant deadline) {
    net::ReadBuffer buffer(memory_.shared);
    deadline = std::min(deadline, reactor_.now() + std::chrono::seconds(1));
    while (!received_.contains("\r\n\r\n")) {
        ssize_t count = co_await socket_->receive(buffer, deadline);
        if (count <= 0) {
            break;
        }
        received_ += buffer.bytes();
        buffer.consume(buffer.bytes().size());
    }
    answer.was_continued = received_.starts_with("HTTP/1.1 100 ");
    co_return !peek_head(received_).has_value();
}

runtime::Task<void> SimClient::abandon(std::vector<Answer>& batch, std::string text, core::Instant deadline) {
    for (Answer& answer : batch) {
        answer.is_abandoned = true;
    }
    if (random_.below(2) == 0) {
        text.resize(1 + random_.below(text.size()));
    }
    co_await send(std::move(text), Pace::slow, deadline);
    [[maybe_unused]] runtime::Outcome slept = co_await pause(3'000);
    if (random_.below(2) == 0) {
        socket_->reset_on_close();
    }
    drop_connection();
}

runtime::Task<bool> SimClient::receive(Answer& answer, Pace pace, core::Instant deadline) {
    core::Instant begin = reactor_.now();
    auto response = co_await read_answer(answer, pace, deadline);
    answer.took = reactor_.now() - begin;
    if (!response) {
        note_broken(answer);
        co_return false;
    }
    answer.has_begun = true;
    std::string_view status = response->second_word();
    std::from_chars(status.data(), status.data() + status.size(), answer.status);
    answer.origin = response->field("x-origin");
    std::string body = answer.kind == RequestKind::head ? std::string() : answer_body(answer.id);
    bool has_length = !response->field("content-length").empty();
    bool is_chunked = !response->field("transfer-encoding").empty();
    answer.is_open_ended = answer.kind != RequestKind::head && !has_length && !is_chunked;
    answer.is_body_right = response->field("x-number") == std::to_string(answer.id) &&
                           response->body == body && !(answer.is_old && (is_chunked || answer.has_interim));
    co_return answer.is_old ? response->field("connection") == "keep-alive"
                            : response->field("connection") != "close";
}

runtime::Task<std::optional<PlainMessage>> SimClient::read_answer(
    Answer& answer,
    Pace pace,
    core::Instant deadline
) {
    net::ReadBuffer buffer(memory_.shared);
    BodyRule rule = answer.kind == RequestKind::head ? BodyRule::answers_head : BodyRule::may_have_body;
    while (true) {
        answer.has_interim = answer.has_interim || received_.starts_with("HTTP/1.1 1");
        if (auto response = take_response(received_, rule, StreamState::open)) {
            co_return response;
        }
        if (pace == Pace::slow) {
            [[maybe_unused]] runtime::Outcome slept = co_await pause(5'000);
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
        "{} /things/{} HTTP/1.{}\r\nHost: {}\r\nX-Number: {}\r\n",
        kMethods[std::to_underlying(answer.kind)],
        answer.id,
        answer.is_old ? 0 : 1,
        plan_.host,
        answer.id
    );
    if (answer.is_old && draw(50)) {
        text += "Connection: keep-alive\r\n";
    }
    if (answer.is_expecting) {
        text += "Expect: 100-continue\r\n";
    }
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
