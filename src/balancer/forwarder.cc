#include "balancer/forwarder.h"

#include "balancer/attempt.h"
#include "balancer/local_relay.h"
#include "balancer/own_response.h"
#include "balancer/worker.h"
#include "net/hangup_guard.h"

namespace balancer {

namespace {

using upstream::AcquireFailure;

struct Unavailable {
    uint16_t status;
    Ended ended;
    std::string_view reason;
};

Unavailable unavailable(AcquireFailure failure) {
    switch (failure) {
        case AcquireFailure::none_usable: return {503, Ended::no_backend, "no backend is up"};
        case AcquireFailure::all_tried: return {502, Ended::backend_failed, "no backend answered"};
        case AcquireFailure::queue_full:
            return {503, Ended::queue_full, "all backends are at their bound, and so is the queue"};
        case AcquireFailure::timed_out:
            return {503, Ended::queue_timeout, "no backend had a place within the queue's time"};
        case AcquireFailure::cancelled: return {503, Ended::drained, "the balancer is stopping"};
    }
    return {503, Ended::no_backend, ""};
}

upstream::MethodClass class_of(const Exchange& exchange) {
    if (exchange.is_upgrade) {
        return upstream::MethodClass::other;
    }
    if (http::is_safe(exchange.method)) {
        return upstream::MethodClass::safe;
    }
    return http::is_idempotent(exchange.method) ? upstream::MethodClass::idempotent
                                                : upstream::MethodClass::other;
}

// Tells the keeper of health what a request met, not more often than Worker::report() allows.
void report(Exchange& exchange, const AttemptFailure& failure) {
    using upstream::Failure;
    upstream::BackendLink& backend = *exchange.backend;
    backend.counters.failures.add();
    if (failure.kind == Failure::connect) {
        backend.counters.connect_failures.add();
    }
    bool was_stale = failure.connection == upstream::Connection::reused && failure.kind == Failure::lost;
    if (was_stale) {
        return;  // an idle connection that the backend closed says nothing about its health
    }
    if (failure.passive) {
        exchange.worker.report(*exchange.pool, backend, *failure.passive, failure.sentence);
    }
}

upstream::RetryTarget decide(Exchange& exchange, const AttemptFailure& failure, uint32_t attempts) {
    upstream::RetryDecision decision = upstream::may_retry({
        .attempt = attempts,
        .attempts_max = 1 + exchange.snapshot.config.limits.retries,
        .sent = failure.sent,
        .method = class_of(exchange),
        .answer = failure.answer,
        .connection = failure.connection,
        .body = exchange.is_body_held ? upstream::RequestBody::replayable : upstream::RequestBody::gone,
        .failure = failure.kind,
    });
    if (decision.target == upstream::RetryTarget::other_backend) {
        if (!exchange.worker.retry_budget().take_retry(exchange.worker.now())) {
            exchange.worker.counters().retries_denied.add();
            return upstream::RetryTarget::none;
        }
        ++exchange.retries;
        exchange.worker.counters().retries.add();
        exchange.backend->counters.retries_away.add();
    }
    return decision.target;
}

// Waits for a place at a backend as long as the client does.
runtime::Task<std::expected<upstream::Lease, AcquireFailure>> queue_for_place(
    Exchange& exchange,
    const upstream::TriedBackends& tried
) {
    runtime::Fiber& fiber = co_await runtime::CurrentFiber{};
    net::HangupGuard guard(exchange.client.socket, fiber);
    std::expected<upstream::Lease, AcquireFailure> lease = std::unexpected(AcquireFailure::cancelled);
    if (!guard.has_fired()) {
        lease = co_await exchange.pool->acquire(tried);
    }
    if (!lease && guard.has_fired()) {
        exchange.fail(Ended::client_gone, "the client left while it waited for a backend");
    }
    co_return lease;
}

// The page that the handler of the route has for this error, in the place of our own words.
bool has_page(Exchange& exchange, const Answer& own) {
    LocalResult page{.verdict = {.outcome = http::LocalOutcome::answered}, .answer = {}};
    http::LocalAnswer& described = page.answer;
    if (exchange.handler == nullptr ||
        !exchange.handler->describe_error(own.status, exchange.worker.now(), described)) {
        return false;
    }
    described.made_fields += own.fields;
    if (own.status == 503) {
        described.made_fields += kRetryAfter;
    }
    if (std::string_view id = exchange.text(exchange.written.request_id); !id.empty()) {
        described.made_fields += "X-Request-Id: ";
        described.made_fields += id;
        described.made_fields += "\r\n";
    }
    exchange.local = std::move(page);
    return true;
}

}  // namespace

runtime::Task<void> answer(Exchange& exchange, Answer own) {
    exchange.reason = own.reason;
    if (exchange.has_response_begun) {
        exchange.must_close = true;
        co_return;
    }
    if (has_page(exchange, own)) {
        co_await send_local(exchange);
        co_return;
    }
    bool is_closing = exchange.must_close || exchange.client_wish == http::KeepAlive::close ||
                      !exchange.body.is_done() || exchange.worker.is_draining();
    exchange.must_close = is_closing;
    exchange.status = own.status;
    std::string text = format_own_response({
        .status = own.status,
        .reason = own.reason,
        .closing = is_closing ? Closing::close : Closing::keep_alive,
        .request_id = exchange.text(exchange.written.request_id),
        .fields = own.fields,
        .date = exchange.worker.date(),
        .is_head = exchange.method == http::Method::head,
        .version_minor = exchange.version_minor,
    });
    core::Instant deadline = exchange.worker.now() + exchange.snapshot.config.timeouts.body;
    ssize_t sent = co_await exchange.client.socket
                       .send(exchange.worker.buffers(), text, deadline, is_closing ? MSG_MORE : 0);
    exchange.has_response_begun = true;
    exchange.bytes_out += text.size();
    if (sent < 0) {
        exchange.fail(Ended::client_gone, "the client did not take the answer");
    }
}

runtime::Task<void> forward(Exchange& exchange) {
    Worker& worker = exchange.worker;
    worker.retry_budget().count_request(worker.now());
    upstream::TriedBackends tried;
    for (uint32_t attempts = 1;; ++attempts) {
        exchange.timings = {.began = exchange.timings.began, .queued = worker.now()};
        auto lease = exchange.pool->acquire_now(tried);
        if (!lease) {
            lease = co_await queue_for_place(exchange, tried);
        }
        bool was_all_tried = !*lease && lease->error() == AcquireFailure::all_tried;
        if (was_all_tried && exchange.pool->state().config.keeps_listening) {
            tried = {};
            lease = co_await queue_for_place(exchange, tried);
        }
        if (exchange.ended == Ended::client_gone) {
            co_return;
        }
        if (!*lease) {
            Unavailable why = unavailable(lease->error());
            exchange.ended = why.ended;
            co_await answer(exchange, {.status = why.status, .reason = why.reason});
            co_return;
        }
        exchange.timings.placed = worker.now();
        exchange.backend = (*lease)->shared_backend();
        tried.add(exchange.backend->record->id);
        AttemptResult result = co_await attempt(exchange, **lease, ConnectionChoice::pooled_or_fresh);
        if (result) {
            co_return;
        }
        report(exchange, result.error());
        upstream::RetryTarget target = decide(exchange, result.error(), attempts);
        if (target == upstream::RetryTarget::fresh_connection) {
            result = co_await attempt(exchange, **lease, ConnectionChoice::fresh);
            if (result) {
                co_return;
            }
            report(exchange, result.error());
            target = decide(exchange, result.error(), attempts);
        }
        if (target != upstream::RetryTarget::other_backend) {
            bool has_timed_out = result.error().kind == upstream::Failure::timed_out;
            exchange.ended = has_timed_out ? Ended::timeout : Ended::backend_failed;
            Answer own = has_timed_out ? Answer{504, "the backend did not answer in time"}
                                       : Answer{502, "the backend could not be reached or broke off"};
            co_await answer(exchange, own);
            co_return;
        }
    }
}

}  // namespace balancer
