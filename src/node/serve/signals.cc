#include "node/serve/signals.h"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

namespace node {

namespace {

// A signal handler has no argument of ours: this is the one global it needs.
constinit std::atomic<int> signal_writer{-1};

void on_signal(int number) {
    int saved = errno;
    auto byte = static_cast<char>(number);
    // A full socket means that signals are waiting already.
    [[maybe_unused]] ssize_t sent =
        ::send(signal_writer.load(std::memory_order_relaxed), &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    errno = saved;
}

void handle(int number, void (*handler)(int)) {
    struct sigaction action{};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigfillset(&action.sa_mask);
    sigaction(number, &action, nullptr);
}

}  // namespace

core::Result<std::unique_ptr<Signals>> Signals::install(runtime::Reactor& reactor) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) {
        return core::fail(core::Error::of_errno(errno, "preparing for signals"));
    }
    signal_writer.store(ends[1]);
    for (int number : {SIGHUP, SIGTERM, SIGINT}) {
        handle(number, on_signal);
    }
    handle(SIGPIPE, SIG_IGN);
    return std::unique_ptr<Signals>(new Signals(net::Socket(reactor, ends[0]), ends[1]));
}

Signals::~Signals() {
    for (int number : {SIGHUP, SIGTERM, SIGINT}) {
        handle(number, SIG_DFL);
    }
    signal_writer.store(-1);
    ::close(writer_);
}

namespace {

// Waits for one byte.
struct ReadByte {
    static constexpr runtime::Direction kDirection = runtime::Direction::read;

    net::Socket& socket;
    char& byte;

    ssize_t operator()() { return socket.try_receive({&byte, 1}); }

    [[nodiscard]] auto slot() const { return socket.watched_slot(); }
};

}  // namespace

runtime::Task<std::optional<Signal>> Signals::next() {
    char byte = 0;
    ssize_t received =
        co_await runtime::IoAttempt(reader_.reactor(), ReadByte{reader_, byte}, core::Instant::never());
    if (received <= 0) {
        co_return std::nullopt;
    }
    co_return byte == SIGHUP ? Signal::reload : Signal::terminate;
}

}  // namespace node
