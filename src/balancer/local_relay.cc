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
// A file goes out in copies of so many bytes, which stay in the processor's cache on their way; the last of
// them leaves after a look at whether the file is still the one that was begun.
constexpr uint64_t kFilePiece = 64 << 10;
// Two changes of a file within one tick of the system's clock (at 100 Hz, before Linux 6.13) have one mtime.
constexpr core::Duration kClockTick = std::chrono::milliseconds(10);

// What settle_failure() tells apart from what the client's connection says.
constexpr ssize_t kFileCut = -ENODATA;
constexpr ssize_t kFileUnreadable = -EIO;

// Of a read that gave less than was asked for: why the file fails, with the errno value where there is one.
ssize_t failed_read(ssize_t read, int& read_error) {
    read_error = read < 0 ? static_cast<int>(-read) : 0;
    return read < 0 ? kFileUnreadable : kFileCut;
}

// Moves to the client what it takes now; the caller goes on until all is sent, so that each move has its own
// time. Copies, for sendfile(2) hands over the pages of the file, and what waits in a socket changes with
// them when somebody writes to the file (docs/decisions/0015); by sendfile(2) where the site says that nobody
// does.
struct SendFile {
    static constexpr runtime::Direction kDirection = runtime::Direction::write;

    net::Socket& socket;
    std::span<char> scratch;
    const http::SentFile& file;
    uint64_t offset;
    uint64_t count;
    core::Instant limit;
    int& read_error;
    net::SendProgress progress{};

    [[nodiscard]] bool has_progressed() { return progress.has_moved(socket); }

    ssize_t operator()() {
        uint64_t turn = std::min(count, kFileBytesPerTurn);
        return file.shares_pages ? share(turn) : copy(turn);
    }

    [[nodiscard]] ssize_t share(uint64_t turn) const {
        ssize_t moved = socket.try_send_file(file.descriptor, offset, turn);
        if (moved == -EIO) {
            return failed_read(moved, read_error);
        }
        return moved == 0 ? kFileCut : moved;
    }

    [[nodiscard]] ssize_t copy(uint64_t turn) const {
        uint64_t moved = 0;
        while (moved < turn) {
            if (!socket.may_be_writable()) {
                break;
            }
            std::span<char> piece =
                scratch.first(static_cast<size_t>(std::min<uint64_t>(scratch.size(), turn - moved)));
            ssize_t read = runtime::read_file_at(file.descriptor, piece, offset + moved);
            if (read != static_cast<ssize_t>(piece.size())) {
                return failed_read(read, read_error);
            }
            ssize_t sent = send_now({piece.data(), piece.size()});
            if (sent < 0) {
                return sent;
            }
            moved += static_cast<uint64_t>(sent);
            if (std::cmp_less(sent, piece.size())) {
                break;  // the rest is read again: it has no place to wait in
            }
        }
        return moved > 0 ? static_cast<ssize_t>(moved) : -EAGAIN;
    }

    // What the socket takes of it without waiting, or -errno.
    [[nodiscard]] ssize_t send_now(std::string_view piece) const {
        ssize_t total = 0;
        while (!piece.empty()) {
            iovec part{.iov_base = const_cast<char*>(piece.data()), .iov_len = piece.size()};
            ssize_t sent = socket.try_send({&part, 1}, MSG_MORE);
            if (sent < 0) {
                return sent == -EAGAIN ? total : sent;
            }
            total += sent;
            piece.remove_prefix(static_cast<size_t>(sent));
        }
        return total;
    }

    [[nodiscard]] auto slot() const { return socket.watched_slot(); }
};

struct LocalRelay {
    Exchange& exchange;
    const http::LocalAnswer& answer;
    core::Instant limit;  // of the whole response
    int read_error = 0;   // an errno value, of a file that is unreadable

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

// What the client sees of a file that failed: an error, or where it has the head already, a connection that
// ends too early.
runtime::Task<void> settle_file(LocalRelay& relay, ssize_t failure) {
    Exchange& exchange = relay.exchange;
    if (relay.answer.file.is_stale != nullptr) {
        *relay.answer.file.is_stale = true;
    }
    bool is_cut = failure == kFileCut;
    if (!is_cut && exchange.handler != nullptr) {
        exchange.handler->note_unreadable(relay.answer.file, relay.read_error, exchange.worker.now());
    }
    if (exchange.has_response_begun) {
        exchange.fail(
            Ended::file_failed,
            is_cut ? "the file was changed while it was sent" : "the file could not be read to its end"
        );
        co_return;
    }
    if (relay.answer.status >= 400) {
        exchange.handler = nullptr;  // it was the page of an error that failed
    }
    exchange.ended = Ended::file_failed;
    Answer own = is_cut ? Answer{503, "the file was changed while it was read"}
                        : Answer{500, "the file cannot be read"};
    co_await answer(exchange, own);
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

// Until a change of the file can be told by its mtime.
runtime::Task<void> await_clock_tick(LocalRelay& relay) {
    runtime::Reactor& reactor = relay.worker().reactor();
    core::Duration age =
        reactor.os().wall_time().since_epoch - std::chrono::nanoseconds(relay.answer.file.modified_ns);
    if (age >= core::Duration::zero() && age < kClockTick) {
        [[maybe_unused]] auto woken = co_await reactor.sleep_for(kClockTick);
    }
}

// Reads all of `target`, which may be the last of the answer: then the look comes after the reading, and if
// the file is still the one that was begun, all that was read of it are its bytes. 0 or why not.
ssize_t read_piece(LocalRelay& relay, std::span<char> target, uint64_t offset, bool is_last) {
    const http::SentFile& file = relay.answer.file;
    ssize_t read = runtime::read_file_at(file.descriptor, target, offset);
    if (read != static_cast<ssize_t>(target.size())) {
        return failed_read(read, relay.read_error);
    }
    return is_last && runtime::has_changed(file.descriptor, file.size, file.modified_ns) ? kFileCut : 0;
}

// The head, and behind it the first bytes of a file. Gives how many of them, or why there are none: then
// nothing was sent either, unless it is -errno of the client's connection.
runtime::Task<ssize_t> send_head_of_file(LocalRelay& relay, const BodyPart& part, int flags) {
    size_t head_size = write_head(relay);
    std::span<char> scratch = relay.worker().scratch();
    auto count = static_cast<size_t>(std::min<uint64_t>(part.length, kSentAtOnce - head_size));
    bool is_last = count == part.length;
    ssize_t read = read_piece(relay, scratch.subspan(head_size, count), part.offset, is_last);
    if (read < 0) {
        co_return read;
    }
    relay.exchange.has_response_begun = true;
    std::string_view bytes(scratch.data(), head_size + count);
    ssize_t sent = co_await send_memory(relay, bytes, is_last ? flags : MSG_MORE);
    co_return sent < 0 ? sent : static_cast<ssize_t>(count);
}

runtime::Task<ssize_t> send_file(LocalRelay& relay, const BodyPart& part, int flags) {
    Worker& worker = relay.worker();
    uint64_t offset = part.offset;
    uint64_t end = part.offset + part.length;
    uint64_t held_from = std::max(part.offset, end - std::min(end, kFilePiece));
    while (offset < held_from) {
        ssize_t sent = co_await runtime::IoAttempt(
            worker.reactor(),
            SendFile{
                relay.exchange.client.socket,
                worker.scratch().first(kFilePiece),
                relay.answer.file,
                offset,
                held_from - offset,
                relay.limit,
                relay.read_error,
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
    std::span<char> last = worker.scratch().first(static_cast<size_t>(end - offset));
    if (ssize_t read = read_piece(relay, last, offset, true); read < 0) {
        co_return read;
    }
    co_return co_await send_memory(relay, {last.data(), last.size()}, flags);
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

// The head, and with it the beginning of the first part; then the rest.
runtime::Task<ssize_t> send_parts(LocalRelay& relay, std::span<const BodyPart> parts) {
    auto flags_of = [&](size_t at) {
        return at + 1 < parts.size() || relay.exchange.must_close ? MSG_MORE : 0;
    };
    bool begins_with_file = !parts.empty() && parts[0].kind == BodyPart::Kind::file;
    if (relay.answer.file.descriptor >= 0 && !parts.empty()) {
        co_await await_clock_tick(relay);
    }
    ssize_t with_head = 0;
    if (begins_with_file) {
        with_head = co_await send_head_of_file(relay, parts[0], flags_of(0));
    } else {
        relay.exchange.has_response_begun = true;
        std::string_view first = parts.empty() ? std::string_view{} : relay.memory(parts[0]);
        with_head = co_await send_head(relay, first, parts.size() <= 1);
    }
    for (size_t at = 0; at < parts.size() && with_head >= 0; ++at) {
        BodyPart part = parts[at];
        uint64_t sent_already = at == 0 ? static_cast<uint64_t>(with_head) : 0;
        part.offset += sent_already;
        part.length -= sent_already;
        ssize_t sent = 0;
        if (part.length == 0) {
            continue;
        }
        if (part.kind == BodyPart::Kind::file) {
            sent = co_await send_file(relay, part, flags_of(at));
        } else {
            sent = co_await send_memory(relay, relay.memory(part), flags_of(at));
        }
        if (sent < 0) {
            co_return sent;
        }
    }
    co_return std::min<ssize_t>(with_head, 0);
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
    ssize_t sent = co_await send_parts(relay, parts);
    if (sent == kFileCut || sent == kFileUnreadable) {
        co_await settle_file(relay, sent);
    } else if (sent < 0) {
        [[maybe_unused]] bool has_failed = has_failed_to_client(exchange, sent);
    }
}

}  // namespace balancer
