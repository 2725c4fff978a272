#include "balancer/response_relay.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "balancer/forwarder.h"
#include "balancer/request_upload.h"
#include "balancer/response_failure.h"
#include "balancer/response_piece.h"
#include "balancer/splice_relay.h"
#include "balancer/tunnel.h"
#include "balancer/worker.h"
#include "http/response_reader.h"
#include "net/hangup_guard.h"

namespace balancer {

using http::FramingKind;

namespace {

// A backend that sends interim responses without end gets no further.
constexpr int kInterimMax = 32;
// Then others have their turn: a fast backend and a fast client would never wait.
constexpr size_t kPiecesPerTurn = 16;

struct Relay {
    Exchange& exchange;
    BackendConnection& connection;
    Upload* upload;
    runtime::Fiber& fiber;
    http::ResponseHead head{};
    FramingKind framing = FramingKind::none;  // towards the client
    bool has_client_left = false;

    [[nodiscard]] Worker& worker() const { return exchange.worker; }

    [[nodiscard]] const TimeoutConfig& timeouts() const { return exchange.snapshot.config.timeouts; }

    [[nodiscard]] core::Instant now() const { return exchange.worker.now(); }

    [[nodiscard]] core::Instant response_deadline() const {
        return exchange.timings.sent + timeouts().response;
    }

    [[nodiscard]] core::Instant body_deadline() const {
        return std::min(now() + timeouts().body, response_deadline());
    }

    [[nodiscard]] bool is_uploading() const {
        return upload != nullptr && upload->state == UploadState::running;
    }
};

// Settles an exchange that the client or our own end cut short.
runtime::Task<void> settle(Relay& relay, uint16_t status, Ended ended, std::string_view reason) {
    relay.exchange.fail(ended, reason);
    if (status != 0) {
        co_await answer(relay.exchange, {.status = status, .reason = reason});
    }
}

// A client that is not watched yet (its first request came with it) is watched when the backend is slow.
constexpr core::Duration kUnwatchedWait = std::chrono::milliseconds(50);

// Receives from the backend. -ECANCELED when the fiber is stopped, when the upload has something to say, or
// when the client has left: then `has_client_left` is set. A client that still sends its body is the upload's
// to watch.
runtime::Task<ssize_t> receive_while_client_waits(Relay& relay, core::Instant deadline) {
    net::Socket& client = relay.exchange.client.socket;
    net::Socket& backend = relay.connection.socket;
    if (relay.is_uploading()) {
        relay.upload->relaying = &relay.fiber;
        ssize_t received = co_await backend.receive(relay.connection.buffer, deadline);
        relay.upload->relaying = nullptr;
        co_return received;
    }
    if (!client.is_watched()) {
        core::Instant first_deadline = std::min(deadline, relay.now() + kUnwatchedWait);
        ssize_t received = co_await backend.receive(relay.connection.buffer, first_deadline);
        if (received != -ETIMEDOUT || first_deadline == deadline) {
            co_return received;
        }
    }
    net::HangupGuard guard(client, relay.fiber);
    ssize_t received = -ECANCELED;
    if (!guard.has_fired()) {
        received = co_await backend.receive(relay.connection.buffer, deadline);
    }
    relay.has_client_left = guard.has_fired() && received == -ECANCELED;
    co_return received;
}

// Waits for more of the head. True: bytes came, or the world is to be looked at again. False: settled.
runtime::Task<std::expected<bool, AttemptFailure>> await_head(Relay& relay, core::Instant head_deadline) {
    if (auto end = failed_upload(relay.upload)) {
        co_await settle(relay, end->status, end->ended, relay.upload->reason);
        co_return false;
    }
    // While the body goes up its own pace is what is bounded.
    core::Instant deadline =
        relay.is_uploading() ? relay.response_deadline() : std::min(head_deadline, relay.response_deadline());
    ssize_t received = co_await receive_while_client_waits(relay, deadline);
    if (received == -ECANCELED) {
        if (relay.fiber.is_stopped) {
            co_await settle(relay, 503, Ended::drained, "the balancer is stopping");
            co_return false;
        }
        if (relay.has_client_left) {
            relay.exchange.fail(Ended::client_gone, "the client left before the response began");
            co_return false;
        }
        co_return true;  // the upload has something to say
    }
    if (received <= 0) {
        upstream::Sent sent =
            received == 0 && relay.upload == nullptr && was_unread(relay.exchange, relay.connection)
                ? upstream::Sent::unread
                : upstream::Sent::some;
        co_return failed_attempt(relay.connection, sent, received, "reading the response");
    }
    relay.connection.answer = upstream::Answer::begun;
    relay.exchange.backend->counters.bytes_in.add(static_cast<uint64_t>(received));
    co_return true;
}

std::unexpected<AttemptFailure> malformed(const Relay& relay, std::string_view reason) {
    return std::unexpected(AttemptFailure{
        .kind = upstream::Failure::malformed,
        .sent = upstream::Sent::some,
        .connection = relay.connection.origin,
        .answer = upstream::Answer::begun,
        .passive = upstream::PassiveKind::reset,
        .sentence = "reading the response: " + std::string(reason),
    });
}

http::HeadResult parse_head(Relay& relay, http::HeadProgress& progress) {
    const LimitConfig& limits = relay.exchange.snapshot.config.limits;
    std::string_view bytes = relay.connection.buffer.bytes();
    if (bytes.empty()) {
        return http::HeadResult::need_more();
    }
    return http::parse_response_head(
        bytes.substr(0, limits.response_head + 1),
        {.head_max = limits.response_head, .fields_max = limits.headers},
        progress,
        relay.worker().response_fields(),
        relay.head,
        relay.exchange.method
    );
}

// Writes the parsed head to the scratch memory and takes it off the buffer. Returns its size there.
size_t write_head(Relay& relay, uint32_t head_length, bool is_closing) {
    size_t size = write_response_head(
        {
            .base = relay.connection.buffer.bytes().data(),
            .head = relay.head,
            .fields = relay.worker().response_fields(),
            .framing = relay.framing,
            .client_version_minor = relay.exchange.version_minor,
            .is_closing = is_closing,
            .date = relay.worker().date(),
        },
        relay.worker().scratch()
    );
    relay.connection.buffer.consume(head_length);
    return size;
}

// An interim response goes to clients that can understand it (RFC 9110 section 15.2).
runtime::Task<void> pass_interim(Relay& relay, uint32_t head_length) {
    size_t size = write_head(relay, head_length, false);
    if (relay.exchange.version_minor == 0) {
        co_return;
    }
    std::string_view text(relay.worker().scratch().data(), size);
    relay.exchange.bytes_out += size;
    ssize_t sent =
        co_await relay.exchange.client.socket.send(relay.worker().buffers(), text, relay.body_deadline());
    [[maybe_unused]] bool has_failed = has_failed_to_client(relay.exchange, sent);
}

FramingKind framing_to_client(const Relay& relay) {
    FramingKind kind = relay.head.framing.kind;
    bool has_own_end = kind == FramingKind::none || kind == FramingKind::length;
    if (has_own_end) {
        return kind;
    }
    return relay.exchange.version_minor == 0 ? FramingKind::until_close : FramingKind::chunked;
}

bool is_last_response(const Relay& relay) {
    const Exchange& exchange = relay.exchange;
    return exchange.client_wish == http::KeepAlive::close || exchange.must_close || relay.is_uploading() ||
           relay.framing == FramingKind::until_close || relay.exchange.worker.is_draining();
}

// Sends a piece and takes it off the backend's buffer. False: the client's connection failed.
runtime::Task<bool> send_piece(
    Relay& relay,
    const http::BodyReader& body,
    http::BodyPiece piece,
    size_t head_size
) {
    PieceWrapping wrapping;
    wrap_piece(wrapping, relay.framing, body, piece.data);
    PieceParts parts = compose_piece(relay.worker().scratch(), head_size, piece.data, wrapping);
    relay.exchange.bytes_out += total_size(parts);
    // The last bytes of a connection wait for its end, which follows at once, and travel with it: a packet
    // less.
    bool is_last = body.is_done() && relay.exchange.must_close;
    ssize_t sent = co_await relay.exchange.client.socket.send_from(
        relay.connection.buffer,
        piece.consumed,
        relay.worker().buffers(),
        parts,
        relay.body_deadline(),
        {.limit = relay.response_deadline(), .flags = is_last ? MSG_MORE : 0}
    );
    co_return !has_failed_to_client(relay.exchange, sent);
}

// True: the exchange is settled, by what a receive from the backend gave or by what interrupted it.
bool has_ended_early(Relay& relay, http::BodyReader& body, ssize_t received) {
    if (received == 0 && body.end_of_stream()) {
        return false;
    }
    if (received == -ECANCELED && !relay.fiber.is_stopped) {
        if (auto end = failed_upload(relay.upload)) {
            relay.exchange.fail(end->ended, relay.upload->reason);
        } else if (relay.has_client_left) {
            relay.exchange.fail(Ended::client_gone, "the client left before its response was complete");
        }
        return relay.exchange.ended != Ended::complete;
    }
    return has_failed_from_backend(relay.exchange, received);
}

// The rest of the body, behind what came with the head.
runtime::Task<void> relay_rest(Relay& relay, http::BodyReader& body) {
    net::ReadBuffer& buffer = relay.connection.buffer;
    for (size_t turn = 1; !body.is_done(); ++turn) {
        if (turn % kPiecesPerTurn == 0) {
            co_await relay.worker().reactor().yield();
        }
        bool may_splice = body.kind() == FramingKind::length && !relay.is_uploading();
        if (may_splice && buffer.is_empty() && body.remaining() >= kSpliceMin) {
            SpliceEnd end = co_await splice_body(
                relay.exchange,
                relay.connection.socket,
                body,
                relay.response_deadline()
            );
            if (end == SpliceEnd::settled) {
                co_return;
            }
            if (end == SpliceEnd::moved) {
                continue;
            }
        }
        if (buffer.is_empty()) {
            ssize_t received = co_await receive_while_client_waits(relay, relay.body_deadline());
            if (has_ended_early(relay, body, received)) {
                co_return;
            }
        }
        http::BodyPiece piece = body.next(buffer);
        if (!piece.refused.empty()) {
            relay.exchange.fail(Ended::backend_failed, piece.refused);
            co_return;
        }
        bool is_ended_by_close = body.is_done() && body.kind() == FramingKind::until_close;
        if (piece.consumed == 0 && !is_ended_by_close) {
            continue;
        }
        if (!co_await send_piece(relay, body, piece, 0)) {
            co_return;
        }
    }
}

// The final response: its head with the first of its body, then the rest.
runtime::Task<void> relay_final(Relay& relay, uint32_t head_length) {
    Exchange& exchange = relay.exchange;
    exchange.timings.first_byte = relay.now();
    exchange.status = relay.head.status;
    exchange.backend->counters.responses[std::min<size_t>(relay.head.status / 100, 5)].add();
    relay.framing = framing_to_client(relay);
    bool is_closing = is_last_response(relay);
    size_t head_size = write_head(relay, head_length, is_closing);
    http::BodyReader body(relay.head.framing);
    http::BodyPiece piece = body.next(relay.connection.buffer);
    if (!piece.refused.empty()) {
        exchange.fail(Ended::backend_failed, piece.refused);
        exchange.status = 502;
        co_await answer(exchange, {.status = 502, .reason = "the backend's response is malformed"});
        co_return;
    }
    exchange.has_response_begun = true;
    exchange.must_close = is_closing;
    if (!co_await send_piece(relay, body, piece, head_size)) {
        co_return;
    }
    if (!body.is_done()) {
        co_await relay_rest(relay, body);
    }
    if (exchange.ended != Ended::complete) {
        co_return;
    }
    exchange.backend->counters.response_time.record(relay.now() - exchange.timings.sent);
    relay.connection.may_be_reused = relay.head.keep_alive == http::KeepAlive::keep &&
                                     relay.connection.buffer.is_empty() &&
                                     body.kind() != FramingKind::until_close && !relay.is_uploading();
    // What should have no body may get one from a broken backend: bytes that must not be taken for the next
    // response.
    relay.connection.needs_look = body.kind() == FramingKind::none;
}

}  // namespace

runtime::Task<AttemptResult> relay_response(
    Exchange& exchange,
    BackendConnection& connection,
    Upload* upload
) {
    Relay relay{exchange, connection, upload, co_await runtime::CurrentFiber{}};
    http::HeadProgress progress;
    core::Instant head_deadline = relay.now() + relay.timeouts().first_byte;
    bool was_uploading = upload != nullptr;
    for (int interim = 0;;) {
        http::HeadResult parsed = parse_head(relay, progress);
        if (parsed.outcome == http::HeadOutcome::refused) {
            co_return malformed(relay, parsed.reason);
        }
        if (parsed.outcome == http::HeadOutcome::need_more) {
            if (was_uploading && !relay.is_uploading()) {
                was_uploading = false;
                head_deadline = relay.now() + relay.timeouts().first_byte;
            }
            auto went_on = co_await await_head(relay, head_deadline);
            if (!went_on) {
                co_return std::unexpected(std::move(went_on).error());
            }
            if (!*went_on) {
                co_return AttemptResult{};
            }
            continue;
        }
        if (relay.head.status == 101) {
            if (!exchange.is_upgrade || upload != nullptr || relay.head.upgrade.is_empty()) {
                co_return malformed(relay, "it switches protocols unasked");
            }
            size_t head_size = write_head(relay, parsed.length, false);
            co_await run_tunnel(exchange, connection, head_size);
            co_return AttemptResult{};
        }
        if (!relay.head.is_interim()) {
            co_await relay_final(relay, parsed.length);
            co_return AttemptResult{};
        }
        if (++interim > kInterimMax) {
            co_return malformed(relay, "too many interim responses");
        }
        co_await pass_interim(relay, parsed.length);
        if (exchange.ended != Ended::complete) {
            co_return AttemptResult{};
        }
        progress = {};
    }
}

}  // namespace balancer
