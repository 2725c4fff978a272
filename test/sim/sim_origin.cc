// The scripted backend; see sim_origin.h.
#include "sim/sim_origin.h"

#include <charconv>
#include <format>
#include <utility>

#include "core/panic.h"
#include "net/listener.h"

namespace sim {

namespace {

constexpr size_t kConnectionsMax = 10'000;
constexpr std::string_view kHealthPath = "/healthz";
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// The head of a request whose client waits before it sends the body.
bool expects_continue(std::string_view bytes) {
    auto head = peek_head(bytes);
    return head && head->field("expect") == "100-continue";
}

uint64_t number_of(const PlainMessage& request) {
    std::string_view text = request.field("x-number");
    uint64_t id = 0;
    std::from_chars(text.data(), text.data() + text.size(), id);
    return id;
}

std::string chunked(std::string_view body, core::Random& random) {
    std::string framed;
    while (!body.empty()) {
        size_t size = 1 + random.below(body.size());
        framed += std::format("{:x}\r\n{}\r\n", size, body.substr(0, size));
        body.remove_prefix(size);
    }
    return framed + "0\r\n\r\n";
}

}  // namespace

SimOrigin::SimOrigin(
    runtime::Reactor& reactor,
    net::Address address,
    std::string name,
    uint64_t seed,
    Ledger& ledger
)
    : reactor_(reactor),
      address_(std::move(address)),
      name_(std::move(name)),
      random_(seed),
      ledger_(ledger) {}

runtime::Task<void> SimOrigin::serve() {
    auto listener = net::Listener::open(reactor_, address_, {});
    ASSERT(listener.has_value());
    runtime::TaskGroup connections(reactor_, kConnectionsMax);
    while (true) {
        sockaddr_storage peer;
        ssize_t fd = co_await listener->accept(peer);
        if (fd < 0) {
            break;
        }
        connections.spawn(serve_connection(net::Socket(reactor_, static_cast<int>(fd))));
    }
    connections.request_stop();
    co_await connections.join();
}

runtime::Task<void> SimOrigin::serve_connection(net::Socket socket) {
    net::ReadBuffer buffer(memory_.shared);
    std::string bytes;
    bool has_served = false;
    bool has_continued = false;  // the request that is not all there was told to go on
    while (true) {
        if (auto request = take_request(bytes)) {
            has_continued = false;
            bool is_check = request->second_word() == kHealthPath;
            connections_ += is_check || std::exchange(has_served, true) ? 0 : 1;
            Next next = co_await answer(socket, std::move(*request));
            if (next == Next::close) {
                co_return;
            }
            continue;
        }
        if (!has_continued && expects_continue(bytes)) {
            has_continued = true;
            ssize_t sent = co_await socket.send(memory_.pool, kContinue, core::Instant::never());
            if (sent < 0) {
                co_return;
            }
        }
        ssize_t received = co_await socket.receive(buffer, core::Instant::never());
        if (received <= 0) {
            co_return;
        }
        bytes += buffer.bytes();
        buffer.consume(buffer.bytes().size());
    }
}

runtime::Task<SimOrigin::Next> SimOrigin::answer(net::Socket& socket, PlainMessage request) {
    if (request.second_word() == kHealthPath) {
        ++health_checks_;
        std::string text = interim();
        text += std::format("HTTP/1.1 {} Checked\r\nContent-Length: 2\r\n\r\nok", script_.health_status);
        ssize_t sent = co_await socket.send(memory_.pool, text, core::Instant::never());
        co_return sent == 0 && request.field("connection") != "close" ? Next::keep : Next::close;
    }
    uint64_t id = number_of(request);
    note(request, id);
    auto think = static_cast<uint64_t>(script_.think_max.count());
    runtime::Outcome slept = co_await reactor_.sleep_for(core::Duration(random_.below(think + 1)));
    if (slept == runtime::Outcome::cancelled || draw(script_.close_before_percent)) {
        co_return Next::close;
    }
    if (draw(script_.stall_percent)) {
        // Until the other side gives up, or this origin stops.
        net::ReadBuffer ignored(memory_.shared);
        [[maybe_unused]] ssize_t ended = co_await socket.receive(ignored, core::Instant::never());
        co_return Next::close;
    }
    Framing framing = draw_framing();
    std::string text = interim() + response_to(request, id, framing);
    if (script_.may_fail) {
        ledger_.begun_by_failing.insert(id);
    }
    bool is_broken = draw(script_.break_body_percent);
    if (is_broken) {
        text.resize(1 + random_.below(text.size() - 1));
    }
    ssize_t sent = co_await socket.send(memory_.pool, text, core::Instant::never());
    bool is_asked_to_close = framing == Framing::until_close || request.field("connection") == "close";
    bool is_over = sent != 0 || is_broken || is_asked_to_close || draw(script_.close_after_percent);
    co_return is_over ? Next::close : Next::keep;
}

std::string SimOrigin::interim() {
    return draw(script_.interim_percent) ? "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" : "";
}

SimOrigin::Framing SimOrigin::draw_framing() {
    if (draw(script_.until_close_percent)) {
        return Framing::until_close;
    }
    return draw(script_.chunked_percent) ? Framing::chunked : Framing::length;
}

std::string SimOrigin::response_to(const PlainMessage& request, uint64_t id, Framing framing) {
    std::string body = answer_body(id);
    std::string text = std::format("HTTP/1.1 200 OK\r\nX-Origin: {}\r\nX-Number: {}\r\n", name_, id);
    switch (framing) {
        case Framing::length: text += std::format("Content-Length: {}\r\n\r\n", body.size()); break;
        case Framing::chunked: text += "Transfer-Encoding: chunked\r\n\r\n"; break;
        case Framing::until_close: text += "Connection: close\r\n\r\n"; break;
    }
    if (request.start_line.starts_with("HEAD ")) {
        return text;
    }
    return text + (framing == Framing::chunked ? chunked(body, random_) : body);
}

void SimOrigin::note(const PlainMessage& request, uint64_t id) {
    ++ledger_.executed[id];
    ++ledger_.by_origin[name_];
    bool is_post = request.start_line.starts_with("POST ");
    ledger_.corrupt += request.body == (is_post ? request_body(id) : std::string()) ? 0 : 1;
}

}  // namespace sim
