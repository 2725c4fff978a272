#include "sdk/worker.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/panic.h"
#include "http/http_date.h"
#include "sdk/connection.h"
#include "sdk/exchange.h"
#include "sdk/guard.h"
#include "sdk/public_task.h"

namespace trilith::sdk {

namespace {

// At the bound of connections, and when descriptors are used up: how long until the next look.
constexpr core::Duration kFullWait = std::chrono::milliseconds(10);
constexpr core::Duration kExhaustedWait = std::chrono::milliseconds(100);
// While the program stops, a connection that has sent nothing yet has this long for its first request: it may
// be under way.
constexpr core::Duration kFreshWait = std::chrono::milliseconds(500);
constexpr int kAcceptsPerTurn = 64;
constexpr size_t kFreeExchangesMax = 1024;

uint64_t seed_of(runtime::Os& os) {
    uint64_t seed = 0;
    os.fill_random(std::as_writable_bytes(std::span(&seed, 1)));
    return seed;
}

}  // namespace

Worker::Worker(runtime::Reactor& reactor, Shared& shared)
    : reactor_(reactor),
      shared_(shared),
      shared_buffer_(buffers_),
      scratch_(std::make_unique<char[]>(kScratchBytes)),
      random_(seed_of(reactor.os())),
      accepting_(reactor, kListeningSocketsMax),
      clients_(reactor, SIZE_MAX),
      endings_(reactor, 1),
      chores_(reactor, SIZE_MAX),
      stop_begun_(reactor) {
    for (const DatabaseSettings* settings : shared.program.databases) {
        databases_.push_back(std::make_unique<DatabasePool>(reactor, shared_buffer_, shared.log, *settings));
    }
}

Worker::~Worker() = default;

runtime::Task<void> Worker::serve(std::vector<Acceptor> acceptors) {
    for (Acceptor& acceptor : acceptors) {
        accepting_.spawn(accept_clients(acceptor));
    }
    if (has_chores_) {
        for (const Chore& chore : shared_.program.chores) {
            chores_.spawn(repeat(chore));
        }
    }
    co_await stop_begun_.wait();
    is_stopping_ = true;
    accepting_.request_stop();
    chores_.request_stop();
    co_await accepting_.join();
    acceptors.clear();
    stop_idle(false);
    endings_.spawn(end_fresh_connections());
    co_await clients_.join(stop_deadline_);
    endings_.request_stop();
    co_await endings_.join();
    co_await chores_.join();
    for (auto& database : databases_) {
        co_await database->close();
    }
    free_exchanges_.clear();
}

void Worker::stop(core::Instant deadline) {
    if (stop_deadline_ != core::Instant::never()) {
        clients_.request_stop();
    }
    stop_deadline_ = deadline;
    stop_begun_.set();
}

void Worker::stop_idle(bool is_last_call) {
    for (Connection* connection = first_connection_; connection != nullptr; connection = connection->next_) {
        connection->stop_if_idle(is_last_call);
    }
}

runtime::Task<void> Worker::end_fresh_connections() {
    if (co_await reactor_.sleep_for(kFreshWait) != runtime::Outcome::cancelled) {
        stop_idle(true);
    }
}

runtime::Task<void> Worker::repeat(const Chore& chore) {
    runtime::Fiber& fiber = co_await runtime::CurrentFiber{};
    while (!fiber.is_stopped) {
        co_await run_once(chore);
        if (co_await reactor_.sleep_for(chore.pause) == runtime::Outcome::cancelled) {
            co_return;
        }
    }
}

runtime::Task<void> Worker::run_once(const Chore& chore) {
    runtime::Fiber& fiber = co_await runtime::CurrentFiber{};
    std::unique_ptr<Exchange> exchange = take_exchange();
    exchange->begin_chore(fiber);
    Task<void> running;
    HandlerEnd end = start_chore(chore.call, exchange->request, running);
    if (end.fault == Fault::none) {
        co_await RunToEnd(running);
        end = judge(PublicAccess::frame(running).promise().error);
        running = {};
    }
    exchange->end_waits();
    bool is_failure = end.fault != Fault::none && end.fault != Fault::cancelled;
    if (is_failure) {
        exchange->log("a chore failed: " + end.text, Level::warn);
    }
    give_back(std::move(exchange));
}

DatabasePool& Worker::database(const DatabaseSettings& settings) {
    ASSERT(settings.place && *settings.place < databases_.size());
    return *databases_[*settings.place];
}

// Accepts until it is stopped.
runtime::Task<void> Worker::accept_clients(Acceptor& acceptor) {
    bool was_exhausted = false;
    bool was_full = false;
    int accepted = 0;
    for (;;) {
        bool has_place = shared_.connections.try_take();
        while (!has_place) {
            if (!std::exchange(was_full, true)) {
                shared_.log.warn("app", "Options::connections_max is reached: new clients wait");
            }
            if (co_await reactor_.sleep_for(kFullWait) == runtime::Outcome::cancelled) {
                co_return;
            }
            has_place = shared_.connections.try_take();
        }
        ssize_t fd = co_await acceptor.accept();
        if (fd >= 0) {
            was_exhausted = false;
            was_full = was_full && shared_.connections.used() >= shared_.connections.limit();
            clients_.spawn(serve_client(static_cast<int>(fd)));
            if (++accepted % kAcceptsPerTurn == 0) {
                co_await reactor_.yield();
            }
            continue;
        }
        shared_.connections.give_back();
        if (fd == -ECANCELED) {
            break;
        }
        if (!std::exchange(was_exhausted, true)) {
            std::string reason = std::strerror(static_cast<int>(-fd));
            shared_.log.error("app", "cannot accept connections", {{.key = "reason", .value = reason}});
        }
        co_await reactor_.sleep_for(kExhaustedWait);
    }
    accept_waiting(acceptor);
}

// Of a socket that closes with us, what had arrived before is still served. An inherited one stays open: its
// queue is for whoever comes next.
void Worker::accept_waiting(Acceptor& acceptor) {
    while (!acceptor.is_inherited() && shared_.connections.try_take()) {
        ssize_t fd = acceptor.try_accept();
        if (fd < 0) {
            shared_.connections.give_back();
            return;
        }
        clients_.spawn(serve_client(static_cast<int>(fd)));
    }
}

runtime::Task<void> Worker::serve_client(int fd) {
    {
        Connection connection(*this, fd);
        co_await connection.serve();
    }
    shared_.connections.give_back();
}

std::string_view Worker::date() {
    int64_t second = reactor_.os().wall_time().since_epoch / std::chrono::seconds(1);
    if (second != date_second_) {
        date_second_ = second;
        std::ranges::copy(http::format_http_date(second), date_.begin());
    }
    return {date_.data(), date_.size()};
}

void Worker::write_request_id(std::span<char, 32> target) {
    static constexpr char kHex[] = "0123456789abcdef";
    for (size_t half = 0; half < 2; ++half) {
        uint64_t bits = random_.next();
        for (size_t at = 0; at < 16; ++at, bits >>= 4) {
            target[half * 16 + at] = kHex[bits & 15];
        }
    }
}

std::unique_ptr<Exchange> Worker::take_exchange() {
    if (free_exchanges_.empty()) {
        return std::make_unique<Exchange>(*this);
    }
    std::unique_ptr<Exchange> taken = std::move(free_exchanges_.back());
    free_exchanges_.pop_back();
    return taken;
}

void Worker::give_back(std::unique_ptr<Exchange> exchange) {
    exchange->close();
    if (free_exchanges_.size() < kFreeExchangesMax) {
        free_exchanges_.push_back(std::move(exchange));
    }
}

void Worker::enlist(Connection& connection) {
    connection.next_ = first_connection_;
    if (first_connection_ != nullptr) {
        first_connection_->previous_ = &connection;
    }
    first_connection_ = &connection;
}

void Worker::delist(Connection& connection) {
    if (connection.next_ != nullptr) {
        connection.next_->previous_ = connection.previous_;
    }
    (connection.previous_ == nullptr ? first_connection_ : connection.previous_->next_) = connection.next_;
}

}  // namespace trilith::sdk
