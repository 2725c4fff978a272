#include "balancer/local_relay.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "balancer/forwarder.h"
#include "balancer/response_failure.h"
#include "balancer/worker.h"
#include "core/panic.h"
#include "http/status.h"
#include "runtime/file.h"
#include "runtime/io_waiter.h"

namespace balancer {

using http::BodyPart;

namespace {

// Up to so many bytes of a body travel in the same send as the head, copied behind it.
constexpr size_t kCopiedBodyMax = 4 << 10;
// Of memory, one send takes as much as the buffer that keeps what a slow client has not taken yet.
constexpr size_t kSentAtOnce = 64 << 10;
// Then others have their turn: a fast client of a large file would keep the core.
constexpr uint64_t kFileBytesPerTurn = 1 << 20;
// The last bytes of a file leave after a look at whether it is still the file that was begun.
constexpr uint64_t kHeldBack = 512;

// What settle_failure() tells apart from what the client's connection says.
constexpr ssize_t kFileCut = -ENODATA;
constexpr ssize_t kFileUnreadable = -EIO;

// Moves what the client takes now; the caller goes on until all is sent, so that each move has its own time.
struct SendFile {
    static constexpr runtime::Direction kDirection = runtime::Direction::write;

    net::Socket& socket;
    int file;
    uint64_t offset;
    uint64_t count;
    core::Instant limit;
    net::SendProgress progress{};

    [[nodiscard]] bool has_progressed() { return progress.has_moved(socket); }

    ssize_t operator()() {
        ssize_t moved = socket.try_send_file(file, offset, std::min(count, kFileBytesPerTurn));
        return moved == 0 ? kFileCut : moved;
    }

    [[nodiscard]] auto slot() const { return socket.watched_slot(); }
};

struct LocalRelay {
    Exchange& exchange;
    const http::LocalAnswer& answer;
    core::Instant limit;  // of the whole response

    [[nodiscard]] Worker& worker() const { return exchange.worker; }

    [[nodiscard]] core::Instant deadline() const {
        return std::min(worker().now() + exchange.snapshot.config.timeouts.body, limit);
    }

    [[nodiscard]] std::string_view memory(const BodyPart& part) const {
        std::string_view whole =
            part.kind == BodyPart::Kind::made ? std::string_view(answer.made_body) : answer.shared_body;
        return whole.substr(static_cast<size_t>(part.offset), static_cast<size_t>(part.length));
    }
};

void settle_failure(LocalRelay& relay, ssize_t sent) {
    Exchange& exchange = relay.exchange;
    if (sent == kFileCut) {
        if (relay.answer.file.is_stale != nullptr) {
            *relay.answer.file.is_stale = true;
        }
        exchange.fail(Ended::file_failed, "the file was changed while it was sent");
    } else if (sent == kFileUnreadable) {
        exchange.fail(Ended::file_failed, "the file could not be read to its end");
    } else {
        [[maybe_unused]] bool has_failed = has_failed_to_client(exchange, sent);
    }
}

size_t write_head(const LocalRelay& relay) {
    std::span<char> target = relay.worker().scratch();
    size_t size = 0;
    auto append = [&](std::string_view text) {
        ASSERT(text.size() <= target.size() - size);
        std::ranges::copy(text, target.data() + size);
        size += text.size();
    };
    const http::LocalAnswer& answer = relay.answer;
    std::array<char, 3> digits{
        static_cast<char>('0' + answer.status / 100),
        static_cast<char>('0' + answer.status / 10 % 10),
        static_cast<char>('0' + answer.status % 10),
    };
    append("HTTP/1.1 ");
    append({digits.data(), digits.size()});
    append(" ");
    append(http::reason_phrase(answer.status));
    append("\r\n");
    append(answer.shared_fields);
    append(answer.made_fields);
    append("Date: ");
    append(relay.worker().date());
    if (relay.exchange.must_close) {
        append("\r\nConnection: close\r\n\r\n");
    } else {
        append(relay.exchange.version_minor == 0 ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\n\r\n");
    }
    return size;
}

// The head, and behind it what of the first part lies in memory. Gives how much of the part went with it, or
// -errno.
runtime::Task<ssize_t> send_head(LocalRelay& relay, std::string_view first, bool is_whole) {
    size_t head_size = write_head(relay);
    std::string_view body = first.substr(0, kSentAtOnce - head_size);
    bool ends_connection = is_whole && body.size() == first.size() && relay.exchange.must_close;
    // What follows at once travels with the head: the rest of the body, or the end of the connection.
    int flags = !is_whole || body.size() < first.size() || ends_connection ? MSG_MORE : 0;
    std::array<std::string_view, 2> parts{std::string_view(relay.worker().scratch().data(), head_size), body};
    if (body.size() <= kCopiedBodyMax) {
        std::copy(body.begin(), body.end(), relay.worker().scratch().data() + head_size);
        parts = {std::string_view(relay.worker().scratch().data(), head_size + body.size()), {}};
    }
    relay.exchange.bytes_out += head_size + body.size();
    ssize_t sent =
        co_await relay.exchange.client.socket.send(relay.worker().buffers(), parts, relay.deadline(), flags);
    co_return sent < 0 ? sent : static_cast<ssize_t>(body.size());
}

runtime::Task<ssize_t> send_memory(LocalRelay& relay, std::string_view bytes, int flags) {
    while (!bytes.empty()) {
        std::string_view piece = bytes.substr(0, kSentAtOnce);
        bytes.remove_prefix(piece.size());
        relay.exchange.bytes_out += piece.size();
        ssize_t sent = co_await relay.exchange.client.socket.send(
            relay.worker().buffers(),
            piece,
            relay.deadline(),
            bytes.empty() ? flags : flags | MSG_MORE
        );
        if (sent < 0) {
            co_return sent;
        }
    }
    co_return 0;
}

// The last bytes, read before the look and sent after it: if the file is still the one that was begun, they
// are its bytes.
runtime::Task<ssize_t> send_file_end(LocalRelay& relay, const BodyPart& part, int flags) {
    std::span<char> scratch = relay.worker().scratch().first(static_cast<size_t>(part.length));
    const http::SentFile& file = relay.answer.file;
    ssize_t read = runtime::read_file_at(file.descriptor, scratch, part.offset);
    runtime::FileStatus status;
    if (read < 0 || runtime::file_status(file.descriptor, status) < 0) {
        co_return kFileUnreadable;
    }
    bool is_same = status.identity.size == file.size && status.identity.modified_ns == file.modified_ns;
    if (!is_same || read != static_cast<ssize_t>(part.length)) {
        co_return kFileCut;
    }
    co_return co_await send_memory(relay, {scratch.data(), scratch.size()}, flags);
}

runtime::Task<ssize_t> send_file(LocalRelay& relay, const BodyPart& part, int flags) {
    Worker& worker = relay.worker();
    uint64_t offset = part.offset;
    uint64_t end = part.offset + part.length;
    uint64_t held_from = std::max(part.offset, end - std::min(end, kHeldBack));
    while (offset < held_from) {
        ssize_t sent = co_await runtime::IoAttempt(
            worker.reactor(),
            SendFile{
                relay.exchange.client.socket,
                relay.answer.file.descriptor,
                offset,
                held_from - offset,
                relay.limit,
            },
            relay.deadline()
        );
        if (sent < 0) {
            co_return sent;
        }
        offset += static_cast<uint64_t>(sent);
        relay.exchange.bytes_out += static_cast<uint64_t>(sent);
        if (offset < held_from) {
            co_await worker.reactor().yield();
        }
    }
    BodyPart rest{.kind = part.kind, .offset = held_from, .length = end - held_from};
    co_return co_await send_file_end(relay, rest, flags);
}

// The handler left the text to us.
runtime::Task<void> refuse_locally(Exchange& exchange) {
    const LocalResult& local = *exchange.local;
    exchange.ended = local.answer.status >= 500 ? Ended::file_failed : Ended::complete;
    co_await answer(
        exchange,
        {.status = local.answer.status, .reason = local.verdict.reason, .fields = local.answer.made_fields}
    );
}

std::span<const BodyPart> parts_of(const LocalRelay& relay, const BodyPart& whole) {
    if (relay.exchange.method == http::Method::head || http::is_bodiless(relay.answer.status)) {
        return {};
    }
    return relay.answer.parts.empty() ? std::span(&whole, 1) : std::span(relay.answer.parts);
}

}  // namespace

runtime::Task<void> send_local(Exchange& exchange) {
    if (exchange.local->verdict.outcome == http::LocalOutcome::refused) {
        co_await refuse_locally(exchange);
        co_return;
    }
    LocalRelay relay{
        .exchange = exchange,
        .answer = exchange.local->answer,
        .limit = exchange.worker.now() + exchange.snapshot.config.timeouts.response,
    };
    exchange.status = relay.answer.status;
    exchange.must_close = exchange.must_close || exchange.client_wish == http::KeepAlive::close ||
                          !exchange.body.is_done() || exchange.worker.is_draining();
    const BodyPart shared{
        .kind = BodyPart::Kind::shared,
        .offset = 0,
        .length = relay.answer.shared_body.size(),
    };
    std::span<const BodyPart> parts = parts_of(relay, shared);
    bool begins_in_memory = !parts.empty() && parts[0].kind != BodyPart::Kind::file;
    std::string_view first = begins_in_memory ? relay.memory(parts[0]) : std::string_view{};
    bool is_whole = parts.size() <= (begins_in_memory ? 1U : 0U);
    exchange.has_response_begun = true;
    ssize_t sent = co_await send_head(relay, first, is_whole);
    size_t with_head = sent < 0 ? 0 : static_cast<size_t>(sent);
    for (size_t at = 0; at < parts.size() && sent >= 0; ++at) {
        int flags = at + 1 < parts.size() || exchange.must_close ? MSG_MORE : 0;
        if (parts[at].kind == BodyPart::Kind::file) {
            sent = co_await send_file(relay, parts[at], flags);
        } else {
            sent =
                co_await send_memory(relay, relay.memory(parts[at]).substr(at == 0 ? with_head : 0), flags);
        }
    }
    if (sent < 0) {
        settle_failure(relay, sent);
    }
}

}  // namespace balancer
