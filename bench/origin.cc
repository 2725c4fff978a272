// The origin of the benchmark: answers /s (100 B), /m (16 KiB), /l (1 MiB), /healthz and /echo, cheaply.
//
//     bench_origin PORT PORT [SECONDS]
//
// It shares a core with the load generator, so every microsecond spent here is one the proxy cannot be loaded
// with: one edge-triggered epoll, one recv and one send a request, and sendfile from memory for the large
// body so that the core moves pages instead of copying them. It listens on all of 127/8 and nothing else: the
// wildcard address bound to the device lo. It ends after SECONDS (default 3600) even if nobody ends it.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr size_t kSmallBody = 100;
constexpr size_t kMediumBody = 16U << 10U;
constexpr size_t kLargeBody = 1U << 20U;
constexpr size_t kRequestHeadMax = 64U << 10U;  // a proxy's request head is under 1 KiB; more than this is a
                                                // fault of the test
constexpr size_t kReadBuffer = 64U << 10U;
constexpr int kEventsAtOnce = 512;
constexpr int kBacklog = 4096;
constexpr std::string_view kCongestionControl = "reno";  // in every kernel
constexpr unsigned kSecondsDefault = 3600;

[[noreturn]] void stop_with(const char* what) {
    std::perror(what);
    std::exit(1);
}

// An answer ready to be sent: the head, and behind it a body in memory or in a file.
struct Answer {
    std::string bytes;  // head, and the body too unless `file` holds it
    int file = -1;      // a memory file with the body, sent by sendfile
    size_t file_bytes = 0;

    [[nodiscard]] size_t size() const { return bytes.size() + file_bytes; }
};

std::string answer_head(size_t body_bytes) {
    // Date and Server are there because real origins send them: a proxy that makes its own gains nothing by
    // it.
    return "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
           "Content-Type: text/plain\r\nContent-Length: " +
           std::to_string(body_bytes) + "\r\n\r\n";
}

Answer answer_in_memory(std::string_view body) {
    Answer answer;
    answer.bytes = answer_head(body.size()) + std::string(body);
    return answer;
}

Answer answer_in_file(size_t body_bytes) {
    Answer answer;
    answer.bytes = answer_head(body_bytes);
    answer.file = memfd_create("bench-body", MFD_CLOEXEC);
    if (answer.file < 0) {
        stop_with("memfd_create");
    }
    const std::string body(body_bytes, 'x');
    if (write(answer.file, body.data(), body.size()) != static_cast<ssize_t>(body.size())) {
        stop_with("write");
    }
    answer.file_bytes = body_bytes;
    return answer;
}

struct Connection {
    int fd = -1;
    bool is_listener = false;
    bool is_closing = false;      // close when what is pending has been sent
    bool is_half_closed = false;  // the peer sent its FIN: read up to it, edges do not repeat
    std::string partial;          // a request head that came in pieces
    std::deque<const Answer*> pending;
    size_t sent = 0;               // bytes of pending.front() that are out
    std::unique_ptr<Answer> echo;  // owns the answer to /echo while it is pending
};

class Origin {
public:
    Origin() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
        if (epoll_ < 0) {
            stop_with("epoll_create1");
        }
    }

    void listen_on(uint16_t port);
    [[noreturn]] void serve();

private:
    void accept_from(const Connection& listener);
    [[nodiscard]] bool read_requests(Connection& connection);
    [[nodiscard]] bool take_heads(Connection& connection, std::string_view input);
    void answer_to(Connection& connection, std::string_view head);
    [[nodiscard]] static bool send_pending(Connection& connection);
    [[nodiscard]] static ssize_t send_some(const Connection& connection, const Answer& answer);
    void watch(Connection& connection, uint32_t events) const;

    int epoll_;
    std::array<char, kReadBuffer> buffer_{};  // shared by all connections, so that it stays in the cache
    Answer small_ = answer_in_memory(std::string(kSmallBody, 'x'));
    Answer medium_ = answer_in_memory(std::string(kMediumBody, 'x'));
    Answer large_ = answer_in_file(kLargeBody);
    Answer health_ = answer_in_memory("ok\n");
    Answer unknown_{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", -1, 0};
};

void Origin::watch(Connection& connection, uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &connection;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) != 0) {
        stop_with("epoll_ctl");
    }
}

void Origin::listen_on(uint16_t port) {
    auto listener = std::make_unique<Connection>();
    listener->is_listener = true;
    listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0) {
        stop_with("socket");
    }
    const int on = 1;
    setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // All of 127/8, and unreachable from any other device than the loopback one.
    constexpr std::string_view kDevice = "lo";
    if (setsockopt(listener->fd, SOL_SOCKET, SO_BINDTODEVICE, kDevice.data(), kDevice.size()) != 0) {
        stop_with("SO_BINDTODEVICE lo");
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(listener->fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        stop_with("bind");
    }
    // Connections inherit it. The system's choice may pace what is sent (bbr), with timers that cost this
    // core as much as the large body itself.
    setsockopt(
        listener->fd,
        IPPROTO_TCP,
        TCP_CONGESTION,
        kCongestionControl.data(),
        kCongestionControl.size()
    );
    if (listen(listener->fd, kBacklog) != 0) {
        stop_with("listen");
    }
    watch(*listener, EPOLLIN);
    static_cast<void>(listener.release());  // lives as long as the process
}

void Origin::accept_from(const Connection& listener) {
    for (;;) {
        const int fd = accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        auto connection = std::make_unique<Connection>();
        connection->fd = fd;
        watch(*connection, EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP);
        static_cast<void>(connection.release());  // freed in serve() when the connection ends
    }
}

// Sends what the socket takes of the first pending answer; the result is that of send or sendfile.
ssize_t Origin::send_some(const Connection& connection, const Answer& answer) {
    if (connection.sent < answer.bytes.size()) {
        const int more = answer.file_bytes > 0 ? MSG_MORE : 0;  // the head leaves together with the body's
                                                                // first bytes
        return send(
            connection.fd,
            answer.bytes.data() + connection.sent,
            answer.bytes.size() - connection.sent,
            MSG_NOSIGNAL | more
        );
    }
    auto offset = static_cast<off_t>(connection.sent - answer.bytes.size());
    return sendfile(connection.fd, answer.file, &offset, answer.size() - connection.sent);
}

// False when the connection is over and must be closed.
bool Origin::send_pending(Connection& connection) {
    while (!connection.pending.empty()) {
        const Answer& answer = *connection.pending.front();
        const ssize_t sent = send_some(connection, answer);
        if (sent < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        connection.sent += static_cast<size_t>(sent);
        if (connection.sent == answer.size()) {
            connection.sent = 0;
            connection.pending.pop_front();
        }
    }
    return !connection.is_closing;
}

void Origin::answer_to(Connection& connection, std::string_view head) {
    const size_t space = head.find(' ');
    const std::string_view path = space == std::string_view::npos ? "" : head.substr(space + 1);
    if (path.starts_with("/s")) {
        connection.pending.push_back(&small_);
    } else if (path.starts_with("/m")) {
        connection.pending.push_back(&medium_);
    } else if (path.starts_with("/l")) {
        connection.pending.push_back(&large_);
    } else if (path.starts_with("/healthz")) {
        connection.pending.push_back(&health_);
    } else if (path.starts_with("/echo")) {
        // What the proxy really sent, for the check that all proxies add the same header fields.
        connection.echo = std::make_unique<Answer>(answer_in_memory(head));
        connection.pending.push_back(connection.echo.get());
        connection.is_closing = true;
    } else {
        connection.pending.push_back(&unknown_);
    }
    if (head.find("\r\nConnection: close\r\n") != std::string_view::npos) {
        connection.is_closing = true;
    }
}

// Answers every complete head of `input` and keeps the rest. False when a head is too long.
bool Origin::take_heads(Connection& connection, std::string_view input) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    while (!input.empty()) {
        const size_t end = input.find(kEnd);
        if (end == std::string_view::npos) {
            break;
        }
        answer_to(connection, input.substr(0, end + kEnd.size()));
        input.remove_prefix(end + kEnd.size());
    }
    std::string rest(input);
    connection.partial = std::move(rest);
    return connection.partial.size() <= kRequestHeadMax;
}

// Reads until the socket is empty. False when the connection is over.
bool Origin::read_requests(Connection& connection) {
    for (;;) {
        const ssize_t got = recv(connection.fd, buffer_.data(), buffer_.size(), 0);
        if (got == 0) {
            return false;
        }
        if (got < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        const std::string_view bytes(buffer_.data(), static_cast<size_t>(got));
        const bool is_fine = connection.partial.empty()
                                 ? take_heads(connection, bytes)
                                 : take_heads(connection, connection.partial + std::string(bytes));
        if (!is_fine) {
            return false;
        }
        if (bytes.size() < buffer_.size() && !connection.is_half_closed) {
            return true;  // the socket is empty: a second recv would only say EAGAIN
        }
    }
}

[[noreturn]] void Origin::serve() {
    std::array<epoll_event, kEventsAtOnce> events{};
    for (;;) {
        const int count = epoll_wait(epoll_, events.data(), kEventsAtOnce, -1);
        if (count < 0 && errno != EINTR) {
            stop_with("epoll_wait");
        }
        for (const epoll_event& event : std::span(events).first(static_cast<size_t>(count < 0 ? 0 : count))) {
            auto* connection = static_cast<Connection*>(event.data.ptr);
            if (connection->is_listener) {
                accept_from(*connection);
                continue;
            }
            connection->is_half_closed |= (event.events & EPOLLRDHUP) != 0;
            const bool has_input = (event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
            const bool is_open = (!has_input || read_requests(*connection)) && send_pending(*connection);
            if (!is_open) {
                close(connection->fd);
                const std::unique_ptr<Connection> ended(connection);  // one event a connection in a batch, so
                                                                      // none is left behind
            }
        }
    }
}

template <class Number>
Number number_or_stop(const char* text) {
    Number number{};
    const char* end = text + std::strlen(text);
    const auto [rest, error] = std::from_chars(text, end, number);
    if (error != std::errc{} || rest != end) {
        std::fprintf(stderr, "bench_origin: \"%s\" is not a number in range\n", text);
        std::exit(2);
    }
    return number;
}

}  // namespace

int main(int argument_count, char** argument_values) {
    const std::span arguments(argument_values, static_cast<size_t>(argument_count));
    if (arguments.size() < 3 || arguments.size() > 4) {
        std::fputs("usage: bench_origin PORT PORT [SECONDS]\n", stderr);
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    // A request that arrives does not interrupt the generator in the middle of its work: the core switches
    // less often and can offer a fifth more load.
    const sched_param no_priority{};
    sched_setscheduler(0, SCHED_BATCH, &no_priority);
    alarm(arguments.size() == 4 ? number_or_stop<unsigned>(arguments[3]) : kSecondsDefault);
    const auto origin = std::make_unique<Origin>();
    origin->listen_on(number_or_stop<uint16_t>(arguments[1]));
    origin->listen_on(number_or_stop<uint16_t>(arguments[2]));
    std::puts("ready");
    std::fflush(stdout);
    origin->serve();
}
