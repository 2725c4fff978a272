#include "sql/relay.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <format>

#include "net/hangup_guard.h"
#include "sql/worker.h"

namespace sql {

namespace {

using mysql::ResponseEvent;

// How long a read is not shown to its client while no row has come: its definitions travel with the first.
constexpr size_t kHeldResponseMax = 16 << 10;
// While a server says nothing, this often it is looked up whether it is known to be gone; and so many looks
// must find it gone before a response is given up that cannot be had elsewhere.
constexpr core::Duration kLook = std::chrono::seconds(1);
constexpr int kLooksMax = 10;
// Where both sides keep up, neither end of a relay ever waits: so often others get their turn.
constexpr uint32_t kTurnsBetweenYields = 64;

bool is_read_only_refusal(const mysql::ErrorPacket& error) {
    return error.number == mysql::kErrorReadOnlyMode ||
           (error.number == mysql::kErrorOptionPreventsStatement && error.message.contains("read-only"));
}

bool is_last_word(uint16_t error) {
    return error == mysql::kErrorServerShutdown || error == mysql::kErrorConnectionKilled;
}

class Relay {
public:
    explicit Relay(RelayOrder order)
        : order_(order),
          worker_(order.worker),
          client_(order.client),
          server_(*order.link.connection),
          counters_(worker_.counters().nodes[order.link.node]),
          is_whole_(client_.command_size > 0) {
        client_.running = &order_.link;
    }
    ~Relay() { client_.running = nullptr; }
    runtime::Task<RelayOutcome> run();

private:
    // Each gives false when the exchange has ended otherwise than by its response; outcome_ says how.
    runtime::Task<bool> send_command();
    runtime::Task<bool> stream_request();
    runtime::Task<void> give_way();
    runtime::Task<bool> receive_from_client();
    runtime::Task<bool> receive_from_server();
    runtime::Task<bool> relay_response();
    runtime::Task<bool> walk();
    template <size_t Count>
    runtime::Task<bool> give(std::array<std::string_view, Count> parts);
    [[clang::coro_wrapper]] runtime::Task<bool> pass_on();
    runtime::Task<bool> pass_on_rewritten(size_t packet, mysql::ResponseStep step);
    runtime::Task<bool> upload_file();

    [[nodiscard]] bool note(const mysql::ResponseStep& step);
    [[nodiscard]] bool must_rewrite(const mysql::ResponseStep& step) const;
    [[nodiscard]] bool is_holding() const;
    [[nodiscard]] bool is_node_gone() const;
    void lose_server(std::string sentence);
    [[nodiscard]] bool end(RelayEnd how, std::string sentence);
    [[nodiscard]] core::Instant soon() const { return worker_.now() + worker_.config().timeouts.body; }

    RelayOrder order_;
    Worker& worker_;
    Client& client_;
    ServerConnection& server_;
    NodeCounters& counters_;
    mysql::ResponseReader response_;
    RelayOutcome outcome_;
    const bool is_whole_;
    bool is_request_broken_ = false;  // the server takes no more of it: it may say why
    size_t walked_ = 0;               // bytes of the server's buffer that belong to the response
    int looks_ = 0;
    uint32_t turns_ = 0;
};

bool Relay::end(RelayEnd how, std::string sentence) {
    outcome_.end = how;
    outcome_.sentence = std::move(sentence);
    return false;
}

void Relay::lose_server(std::string sentence) {
    bool may_repeat = order_.repeat == Repeat::until_a_row && !outcome_.has_given && is_whole_;
    worker_.shared().watch.on_node_failure(order_.link.address);
    static_cast<void>(end(may_repeat ? RelayEnd::repeatable : RelayEnd::server_lost, std::move(sentence)));
    outcome_.link_must_close = true;
}

runtime::Task<RelayOutcome> Relay::run() {
    counters_.statements.add();
    bool is_sent = co_await send_command();
    if (is_sent) {
        response_.begin({
            .form = order_.form,
            .sequence = client_.requests.next_sequence(),
            .capabilities = server_.capabilities(),
        });
        bool is_over = co_await relay_response();
        if (is_over && !server_.buffer().is_empty()) {
            outcome_.link_must_close = true;  // bytes that belong to nothing
        }
    }
    if (outcome_.end != RelayEnd::repeatable) {
        client_.settle_command();
    }
    co_return std::move(outcome_);
}

runtime::Task<bool> Relay::send_command() {
    if (!is_whole_) {
        co_return co_await stream_request();
    }
    std::string_view command = client_.buffer.bytes().substr(0, client_.command_size);
    CommandRewrite rewrite = std::exchange(order_.rewrite, {});
    std::array parts{rewrite.bytes, command.substr(std::min(rewrite.replaced, command.size()))};
    counters_.bytes_out.add(parts[0].size() + parts[1].size());
    ssize_t sent = co_await server_.socket().send(worker_.buffers(), parts, soon());
    if (sent < 0) {
        lose_server(net::error_of(sent, "sending to " + order_.link.address.to_string()).context());
        co_return false;
    }
    if (order_.repeat == Repeat::never) {
        client_.settle_command();
    }
    co_return true;
}

// The rest of what client_.requests walks, piece by piece.
runtime::Task<bool> Relay::stream_request() {
    for (;;) {
        mysql::RequestStep step = client_.requests.read(client_.buffer.bytes());
        if (step.state == mysql::RequestState::refused) {
            outcome_.link_must_close = true;
            co_return end(RelayEnd::client_gone, std::string(step.reason));
        }
        if (step.consumed > 0 && is_request_broken_) {
            client_.buffer.consume(step.consumed);
        } else if (step.consumed > 0) {
            CommandRewrite rewrite = std::exchange(order_.rewrite, {});
            std::string_view piece = client_.buffer.bytes().substr(0, step.consumed);
            std::array parts{rewrite.bytes, piece.substr(rewrite.replaced)};
            counters_.bytes_out.add(parts[0].size() + parts[1].size());
            ssize_t sent = co_await server_.socket()
                               .send_from(client_.buffer, step.consumed, worker_.buffers(), parts, soon());
            is_request_broken_ = sent < 0;
            if (sent == -ECANCELED) {
                outcome_.link_must_close = true;
                co_return end(RelayEnd::stopped, "the router stops");
            }
        }
        if (step.state == mysql::RequestState::complete) {
            co_return true;
        }
        if (is_request_broken_) {
            outcome_.link_must_close = true;
            outcome_.client_must_close = true;
            co_return true;
        }
        bool has_received = co_await receive_from_client();
        if (!has_received) {
            co_return false;
        }
    }
}

runtime::Task<void> Relay::give_way() {
    if (++turns_ % kTurnsBetweenYields == 0) {
        co_await worker_.reactor().yield();
    }
}

runtime::Task<bool> Relay::receive_from_client() {
    co_await give_way();
    ssize_t received = co_await client_.socket.receive(client_.buffer, soon());
    if (received > 0) {
        co_return true;
    }
    outcome_.link_must_close = true;
    if (received == -ECANCELED) {
        co_return end(RelayEnd::stopped, "the router stops");
    }
    co_return end(RelayEnd::client_gone, "the client left within a command");
}

bool Relay::is_node_gone() const {
    const Node& node = worker_.routing()->nodes[order_.link.node];
    return node.state == NodeState::unreachable;
}

runtime::Task<bool> Relay::receive_from_server() {
    co_await give_way();
    runtime::Fiber& fiber = co_await runtime::CurrentFiber{};
    net::HangupGuard client_watch(client_.socket, fiber);
    for (;;) {
        if (client_watch.has_fired()) {
            outcome_.link_must_close = true;
            co_return end(RelayEnd::client_gone, "the client left before its response");
        }
        ssize_t received = co_await server_.socket().receive(server_.buffer(), worker_.now() + kLook);
        if (received > 0) {
            looks_ = 0;
            counters_.bytes_in.add(static_cast<uint64_t>(received));
            co_return true;
        }
        if (received == -ECANCELED && fiber.is_stopped) {
            outcome_.link_must_close = true;
            co_return end(RelayEnd::stopped, "the router stops");
        }
        if (received == -ECANCELED) {
            continue;
        }
        if (received == -ETIMEDOUT) {
            looks_ = is_node_gone() ? looks_ + 1 : 0;
            bool may_repeat = order_.repeat == Repeat::until_a_row && !outcome_.has_given && is_whole_;
            if (looks_ < (may_repeat ? 1 : kLooksMax)) {
                continue;
            }
        }
        std::string peer = order_.link.address.to_string();
        lose_server(
            received == 0 ? peer + " closed the connection"
                          : net::error_of(received, "waiting for " + peer).context()
        );
        co_return false;
    }
}

bool Relay::is_holding() const {
    return order_.repeat == Repeat::until_a_row && !outcome_.has_given && response_.row_count() == 0 &&
           walked_ < kHeldResponseMax;
}

runtime::Task<bool> Relay::relay_response() {
    for (;;) {
        bool goes_on = co_await walk();
        if (!goes_on) {
            co_return false;
        }
        bool is_complete = response_.is_complete();
        if (walked_ > 0 && (is_complete || !is_holding())) {
            bool is_passed = co_await pass_on();
            if (!is_passed) {
                co_return false;
            }
        }
        if (is_complete) {
            co_return true;
        }
        bool has_received = co_await receive_from_server();
        if (!has_received) {
            co_return false;
        }
    }
}

// Takes what is there of the response; what it tells is noted, what the client must not see is rewritten.
runtime::Task<bool> Relay::walk() {
    while (!response_.is_complete()) {
        size_t begin = walked_;
        mysql::ResponseStep step = response_.read(server_.buffer().bytes().substr(begin));
        walked_ += step.consumed;
        if (step.event == ResponseEvent::more_bytes) {
            co_return true;
        }
        if (!note(step)) {
            co_return false;
        }
        if (step.event == ResponseEvent::prepared && order_.statement_id != 0) {
            std::span<char> id = server_.buffer().mutable_bytes().subspan(begin + step.packet);
            mysql::PayloadWriter(id.subspan(mysql::kPacketHeaderSize + 1)).u32(order_.statement_id);
        }
        if (must_rewrite(step)) {
            bool is_passed = co_await pass_on_rewritten(begin + step.packet, step);
            if (!is_passed) {
                co_return false;
            }
        }
        if (step.event == ResponseEvent::file_request) {
            bool is_uploaded = co_await upload_file();
            if (!is_uploaded) {
                co_return false;
            }
        }
    }
    co_return true;
}

// False: the response is not for the client.
bool Relay::note(const mysql::ResponseStep& step) {
    switch (step.event) {
        case ResponseEvent::result_end:
            outcome_.note_result(step, response_.row_count());
            if (order_.state != nullptr) {
                order_.state->note_ok(step.ok, order_.effects, server_.capabilities());
            }
            return true;
        case ResponseEvent::file_request:
            if (!mysql::has(client_.capabilities, mysql::kLocalFiles)) {
                lose_server(order_.link.address.to_string() + " asks for a file of a client that gives none");
                return false;
            }
            return true;
        case ResponseEvent::prepared: outcome_.prepared = step.prepared; return true;
        case ResponseEvent::error: {
            outcome_.has_failed = true;
            outcome_.may_have_insert_id = true;
            bool is_last = is_last_word(step.error.number);
            outcome_.link_must_close = outcome_.link_must_close || is_last;
            bool may_repeat = !outcome_.has_given && is_whole_ && client_.command_size > 0;
            bool is_refusal = order_.repeat != Repeat::never && is_read_only_refusal(step.error);
            bool is_shutdown =
                order_.repeat == Repeat::until_a_row && step.error.number == mysql::kErrorServerShutdown;
            if (may_repeat && (is_refusal || is_shutdown)) {
                outcome_.refusal = failure_of(step.error);
                server_.buffer().consume(walked_);
                walked_ = 0;
                return end(RelayEnd::repeatable, outcome_.refusal->message);
            }
            return true;
        }
        case ResponseEvent::auth_switch:
        case ResponseEvent::auth_more:
        case ResponseEvent::failed:
            lose_server(
                order_.link.address.to_string() +
                " does not keep to the protocol: " + std::string(step.reason)
            );
            return false;
        default: return true;
    }
}

// Session tracking was asked for by the router, not by this client.
bool Relay::must_rewrite(const mysql::ResponseStep& step) const {
    return step.event == ResponseEvent::result_end &&
           (step.ok.status & mysql::kStatusSessionStateChanged) != 0 &&
           !mysql::has(client_.capabilities, mysql::kSessionTrack);
}

// `parts` stand for the walked bytes.
template <size_t Count>
runtime::Task<bool> Relay::give(std::array<std::string_view, Count> parts) {
    outcome_.has_given = true;
    client_.settle_command();
    ssize_t sent =
        co_await client_.socket
            .send_from(server_.buffer(), std::exchange(walked_, 0), worker_.buffers(), parts, soon());
    if (sent < 0) {
        outcome_.link_must_close = true;
        co_return end(RelayEnd::client_gone, "the client did not take its response");
    }
    co_return true;
}

runtime::Task<bool> Relay::pass_on_rewritten(size_t packet, mysql::ResponseStep step) {
    std::string_view bytes = server_.buffer().bytes();
    uint8_t sequence = mysql::read_packet_header(bytes.substr(packet)).sequence;
    std::string rewritten;
    mysql::PayloadWriter writer(rewritten);
    // One packet for one packet: the numbers of those behind it stay.
    if (static_cast<uint8_t>(step.payload.front()) == mysql::kEofByte) {
        static_cast<void>(mysql::write_end_of_rows(writer, sequence, step.ok, client_.capabilities));
    } else {
        static_cast<void>(mysql::write_ok(writer, sequence, step.ok, client_.capabilities));
    }
    co_return co_await give(std::array<std::string_view, 2>{bytes.substr(0, packet), rewritten});
}

runtime::Task<bool> Relay::pass_on() { return give(std::array{server_.buffer().bytes().substr(0, walked_)}); }

// LOAD DATA LOCAL: the server has asked for a file.
runtime::Task<bool> Relay::upload_file() {
    uint8_t sequence = response_.next_sequence();
    bool is_passed = co_await pass_on();
    if (!is_passed) {
        co_return false;
    }
    client_.requests.begin(mysql::RequestForm::file, sequence);
    bool is_uploaded = co_await stream_request();
    if (is_uploaded) {
        response_.resume(client_.requests.next_sequence());
    }
    co_return is_uploaded;
}

}  // namespace

runtime::Task<RelayOutcome> relay(RelayOrder order) { co_return co_await Relay(order).run(); }

}  // namespace sql
