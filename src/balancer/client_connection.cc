#include "balancer/client_connection.h"

#include <cerrno>

#include "balancer/forwarder.h"
#include "balancer/local_relay.h"
#include "balancer/own_response.h"
#include "balancer/request_plan.h"
#include "balancer/worker.h"

namespace balancer {

namespace {

// After an answer to a request that was not read to its end: how long, and how many bytes, we read on so that
// the client gets the answer before a reset overtakes it (RFC 9112 section 9.6).
constexpr core::Duration kLingerTime = std::chrono::seconds(2);
constexpr size_t kLingerBytes = 1 << 20;
// Then others have their turn: a client that pipelines would never wait.
constexpr size_t kPipelinedPerTurn = 8;

}  // namespace

ClientConnection::ClientConnection(Worker& worker, net::Socket socket, const net::Address& peer)
    : worker_(worker),
      client_(std::move(socket), worker.shared_buffer(), peer),
      generation_(worker.generation()),
      wait_began_(worker.now()) {
    std::string text = peer.host_string();
    client_.address_length = static_cast<uint8_t>(std::min(text.size(), client_.address_text.size()));
    std::copy_n(text.begin(), client_.address_length, client_.address_text.begin());
    judge_trust();
    worker_.enlist(*this);
}

ClientConnection::~ClientConnection() { worker_.delist(*this); }

void ClientConnection::stop_if_idle() {
    if (!is_serving_ && client_.buffer.is_empty()) {
        fiber_->request_stop();
    }
}

http::HeadResult ClientConnection::parse() {
    if (client_.buffer.is_empty()) {
        return http::HeadResult::need_more();
    }
    const LimitConfig& limits = generation_->snapshot->config.limits;
    std::string_view bytes = client_.buffer.bytes();
    return http::parse_request_head(
        bytes.substr(0, limits.request_head + 1),
        {.uri_max = limits.uri, .head_max = limits.request_head, .fields_max = limits.headers},
        progress_,
        worker_.request_fields(),
        worker_.request_head()
    );
}

// The first request must come as soon as a head must be complete; later ones may keep an idle connection
// waiting.
core::Instant ClientConnection::read_deadline() const {
    const TimeoutConfig& timeouts = generation_->snapshot->config.timeouts;
    if (!head_began_.is_never()) {
        return head_began_ + timeouts.request_head;
    }
    return wait_began_ + (is_first_ ? timeouts.request_head : timeouts.idle);
}

void ClientConnection::judge_trust() {
    bool is_trusted = generation_->snapshot->trusted_proxies.contains(client_.family, client_.peer);
    client_.trust = is_trusted ? Trust::trusted_proxy : Trust::outside;
}

// Between requests a connection moves on to the newest configuration.
void ClientConnection::adopt_generation() {
    if (generation_ != worker_.generation()) {
        generation_ = worker_.generation();
        judge_trust();
    }
}

runtime::Task<void> ClientConnection::serve() {
    fiber_ = &co_await runtime::CurrentFiber{};
    size_t pipelined = 0;
    for (;;) {
        adopt_generation();
        progress_ = {};
        wait_began_ = worker_.now();
        head_began_ = client_.buffer.is_empty() ? core::Instant::never() : worker_.now();
        http::HeadResult head = parse();
        while (head.outcome == http::HeadOutcome::need_more) {
            ssize_t received = co_await client_.socket.receive(client_.buffer, read_deadline());
            if (received <= 0) {
                if (received == -ETIMEDOUT && !client_.buffer.is_empty()) {
                    head = http::HeadResult::refused(408, "the request's head did not come in time");
                    break;
                }
                co_return;  // gone, idle for too long, or drained
            }
            if (head_began_.is_never()) {
                head_began_ = worker_.now();
            }
            head = parse();
        }
        if (head.outcome == http::HeadOutcome::refused) {
            is_serving_ = true;  // the exchange holds on to this generation
            co_await refuse(head);
            is_serving_ = false;
            break;
        }
        is_serving_ = true;
        Next next = co_await serve_request(head.length);
        is_serving_ = false;
        is_first_ = false;
        if (next == Next::close || worker_.is_draining()) {
            // Unread bytes would turn the close into a reset, which can overtake the response.
            needs_linger_ = needs_linger_ || !client_.buffer.is_empty() || !client_.socket.is_quiet();
            break;
        }
        if (!client_.buffer.is_empty() && ++pipelined % kPipelinedPerTurn == 0) {
            co_await worker_.reactor().yield();
        }
    }
    if (needs_linger_) {
        co_await linger();
    }
}

runtime::Task<ClientConnection::Next> ClientConnection::serve_request(uint32_t head_length) {
    // The snapshot stays while the exchange runs: generation_ changes between requests only.
    Exchange exchange(worker_, client_, *generation_->snapshot, head_began_);
    CoreCounters& counters = worker_.counters();
    counters.requests_active.add(1);
    Refusal refusal = plan_request(exchange, *generation_, head_length);
    if (refusal.status != 0) {
        exchange.ended = Ended::refused;
        exchange.must_close = refusal.following == Following::untrusted;
        co_await answer(exchange, {.status = refusal.status, .reason = refusal.reason});
    } else if (exchange.local) {
        co_await send_local(exchange);
    } else {
        co_await forward(exchange);
    }
    counters.requests_active.add(-1);
    count_end(exchange);
    bool is_body_read = exchange.body.is_done();
    needs_linger_ = !is_body_read && exchange.has_response_begun;
    co_return exchange.must_close || !is_body_read ? Next::close : Next::keep;
}

void ClientConnection::count_end(Exchange& exchange) {
    CoreCounters& counters = worker_.counters();
    counters.requests_total.add();
    counters.responses[std::min<size_t>(exchange.status / 100, 5)].add();
    counters.ended[static_cast<size_t>(exchange.ended)].add();
    counters.bytes_in.add(exchange.bytes_in);
    counters.bytes_out.add(exchange.bytes_out);
    core::Instant now = worker_.now();
    counters.request_time.record(now - exchange.timings.began);
    if (!exchange.timings.placed.is_never()) {
        counters.queue_time.record(exchange.timings.placed - exchange.timings.queued);
    }
    if (exchange.snapshot.config.access_log.is_enabled) {
        worker_.access_log().write(exchange, worker_.reactor().os().wall_time(), now);
    }
}

// A head that could not be understood: answered, logged, and the connection ends.
runtime::Task<void> ClientConnection::refuse(http::HeadResult refused) {
    Exchange exchange(worker_, client_, *generation_->snapshot, head_began_);
    exchange.fail(refused.status == 408 ? Ended::client_timeout : Ended::refused, refused.reason);
    co_await answer(exchange, {.status = refused.status, .reason = refused.reason});
    count_end(exchange);
    client_.buffer.clear();
    needs_linger_ = refused.status != 408;
}

runtime::Task<void> ClientConnection::linger() {
    client_.socket.shutdown_write();
    core::Instant deadline = worker_.now() + kLingerTime;
    size_t total = 0;
    while (total < kLingerBytes) {
        client_.buffer.clear();
        ssize_t received = co_await client_.socket.receive(client_.buffer, deadline);
        if (received <= 0) {
            break;
        }
        total += static_cast<size_t>(received);
    }
}

}  // namespace balancer
