#include "balancer/splice_relay.h"

#include <algorithm>
#include <cerrno>

#include "balancer/response_failure.h"
#include "balancer/worker.h"
#include "net/splice_pipe.h"
#include "runtime/io_waiter.h"

namespace balancer {

namespace {

struct FillPipe {
    static constexpr runtime::Direction kDirection = runtime::Direction::read;

    net::Socket& socket;
    net::SplicePipe& pipe;
    uint64_t wanted;

    ssize_t operator()() {
        auto most = static_cast<size_t>(std::min<uint64_t>(wanted, net::SplicePipe::kCapacity));
        ssize_t moved = socket.try_splice_to_pipe(pipe.write_end, most);
        pipe.held += static_cast<size_t>(std::max<ssize_t>(moved, 0));
        return moved;
    }

    [[nodiscard]] auto slot() const { return socket.watched_slot(); }
};

// Moves what the client takes now; the caller goes on until the pipe is empty, so that each move has its own
// time, and nothing is handed over while one waits.
struct DrainPipe {
    static constexpr runtime::Direction kDirection = runtime::Direction::write;

    net::Socket& socket;
    net::SplicePipe& pipe;
    core::Instant limit;
    net::SendProgress progress{};

    [[nodiscard]] bool has_progressed() { return progress.has_moved(socket); }

    ssize_t operator()() {
        ssize_t moved = socket.try_splice_from_pipe(pipe.read_end, pipe.held);
        pipe.held -= static_cast<size_t>(std::max<ssize_t>(moved, 0));
        return moved == 0 ? -EPIPE : moved;
    }

    [[nodiscard]] auto slot() const { return socket.watched_slot(); }
};

// A pipe that goes back when the body is over.
class BorrowedPipe {
public:
    BorrowedPipe(net::SplicePipes& pipes, net::SplicePipe pipe) : pipe_(pipe), pipes_(pipes) {}

    ~BorrowedPipe() { pipes_.give_back(pipe_); }

    BorrowedPipe(const BorrowedPipe&) = delete;
    BorrowedPipe& operator=(const BorrowedPipe&) = delete;

    [[nodiscard]] net::SplicePipe& get() { return pipe_; }

private:
    net::SplicePipe pipe_;
    net::SplicePipes& pipes_;
};

}  // namespace

runtime::Task<SpliceEnd> splice_body(
    Exchange& exchange,
    net::Socket& backend,
    http::BodyReader& body,
    core::Instant response_deadline
) {
    Worker& worker = exchange.worker;
    auto taken = worker.pipes().take();
    if (!taken) {
        co_return SpliceEnd::unavailable;
    }
    BorrowedPipe pipe(worker.pipes(), *taken);
    core::Duration step = exchange.snapshot.config.timeouts.body;
    while (!body.is_done()) {
        core::Instant deadline = std::min(worker.now() + step, response_deadline);
        ssize_t filled = co_await runtime::IoAttempt(
            worker.reactor(),
            FillPipe{backend, pipe.get(), body.remaining()},
            deadline
        );
        if (has_failed_from_backend(exchange, filled)) {
            co_return SpliceEnd::settled;
        }
        body.skip(static_cast<uint64_t>(filled));
        exchange.bytes_out += static_cast<uint64_t>(filled);
        while (pipe.get().held > 0) {
            deadline = std::min(worker.now() + step, response_deadline);
            ssize_t drained = co_await runtime::IoAttempt(
                worker.reactor(),
                DrainPipe{exchange.client.socket, pipe.get(), response_deadline},
                deadline
            );
            if (has_failed_to_client(exchange, drained)) {
                co_return SpliceEnd::settled;
            }
        }
        // Others have their turn: a fast backend and a fast client would never wait.
        co_await worker.reactor().yield();
    }
    co_return SpliceEnd::moved;
}

}  // namespace balancer
