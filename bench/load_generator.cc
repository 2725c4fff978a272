// The load generator of the benchmark: closed or open loop, keep-alive connections or a new one each request.
//
//     bench_load_generator --port N --path /s --body-bytes 100 --connections 64 --warm-up 0.5 --seconds 3
//                          [--rate 15000] [--new-connection] [--hold] [--pids 12,13]
//                          [--any-length] [--path /t]… [--header "If-None-Match: \"a\""]… [--status 304]
//
// Of several paths each request takes the next.
//
// It checks the status and the exact byte count of every answer (with --any-length: that it has as many bytes
// as its head says), measures the CPU time that the processes of
// --pids used in the measured window (all threads, /proc/PID/task/TID/schedstat) and how busy each core was,
// and prints one JSON object.
//
// Open loop: request i is due at start + i / rate whether or not earlier ones were answered; a request that
// finds no free connection waits, and its latency counts from the instant at which it was due, so that a
// stalled proxy cannot hide its stall by slowing the generator down (coordinated omission).
//
// --hold opens --connections connections, makes one request on each, prints {"held": N}, and keeps them open
// until standard input ends or --seconds are over: the state in which the memory of an idle client is
// measured.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <format>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "load_options.h"
#include "measurement.h"
#include "response_head.h"

namespace {

constexpr int kEventsAtOnce = 512;
constexpr size_t kReadBuffer = 64U << 10U;
constexpr size_t kFirstReadOfLargeBody = 4096;  // enough for the head; the rest is dropped without a copy
constexpr size_t kDiscardFrom = 32U << 10U;     // longer bodies are checked by length only, in the kernel
constexpr size_t kHeadMax = 16U << 10U;
constexpr uint64_t kErrorsMax = 10'000;  // a proxy that is broken or gone ends the run instead of spinning
constexpr size_t kHoldInFlightMax = 64;  // few at once: the memory shown is that of idle clients, not of a
                                         // burst
constexpr std::string_view kCongestionControl = "reno";  // in every kernel
constexpr double kNanoseconds = 1e9;

[[noreturn]] void stop_with(const char* what) {
    std::perror(what);
    std::exit(1);
}

uint64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<uint64_t>(time.tv_nsec);
}

struct Errors {
    uint64_t connect = 0;       // refused, or no socket to be had
    uint64_t status = 0;        // another than --status
    uint64_t length = 0;        // Content-Length missing or not what was asked for, or bytes behind the body
    uint64_t malformed = 0;     // not an HTTP/1.1 response head
    uint64_t closed_early = 0;  // the connection ended inside an answer, or although it was to be kept

    [[nodiscard]] uint64_t total() const { return connect + status + length + malformed + closed_early; }
};

// closed → connecting → waiting → idle → waiting …
// With a connection a request: closed → connecting → waiting → ending → closed …
enum class Phase : uint8_t { closed, connecting, idle, waiting, ending };

struct Connection {
    int fd = -1;
    Phase phase = Phase::closed;
    bool has_head = false;     // of the answer that is being read
    bool has_hung_up = false;  // the peer's FIN was reported; edges do not repeat, so read up to it
    bool has_request = false;  // a request waits for the connection to be established
    uint64_t due = 0;          // when the request was to be sent
    uint64_t body_left = 0;
    std::string partial_head;
};

class Generator {
public:
    explicit Generator(bench::LoadOptions options);

    // Runs warm-up and window. Result: one JSON object.
    std::string run();
    // Opens and keeps the connections. Result: one JSON object, after standard input ended.
    std::string hold();

private:
    void open(Connection& connection);
    void reopen(Connection& connection);
    void send_request(Connection& connection);
    void start(Connection& connection, uint64_t due);
    void start_due(uint64_t now);
    [[nodiscard]] uint64_t due_of(uint64_t index) const;
    void finish(Connection& connection);
    void ready_again(Connection& connection, uint64_t now);

    void turn(uint64_t now);
    void handle(Connection& connection, uint32_t events);
    void read_answer(Connection& connection);
    void take(Connection& connection, std::string_view bytes);
    std::optional<std::string_view> take_head(Connection& connection, std::string_view bytes);
    void check_head(Connection& connection, std::string_view head);
    void end_of_stream(Connection& connection);

    void begin_window();
    [[nodiscard]] std::string window_json() const;

    bench::LoadOptions options_;
    std::vector<std::string> requests_;
    size_t next_request_ = 0;
    int epoll_;
    std::vector<Connection> connections_;
    std::deque<Connection*> idle_;
    std::array<char, kReadBuffer> buffer_{};  // shared by all connections, so that it stays in the cache

    uint64_t start_ = 0;
    uint64_t started_ = 0;  // requests of the open loop that were sent or wait for their connection
    bool is_measuring_ = false;
    uint64_t window_start_ = 0;
    uint64_t own_time_before_ = 0;  // CPU time of this process
    uint64_t done_ = 0;             // in the window
    uint64_t bytes_ = 0;            // received in the window, heads included
    size_t answered_ = 0;
    Errors errors_;
    uint64_t errors_of_warm_up_ = 0;
    bench::LatencyHistogram latencies_;
    std::map<int, uint64_t> times_before_;
    std::vector<bench::CoreTicks> cores_before_;
};

Generator::Generator(bench::LoadOptions options)
    : options_(std::move(options)),
      requests_(bench::requests_of(options_)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      connections_(options_.connections) {
    if (epoll_ < 0) {
        stop_with("epoll_create1");
    }
}

// Starts to connect. With a connection a request the request is tried at once: on loopback the handshake is
// mostly over when connect() returns, and what waits for writability costs one more wake-up.
void Generator::open(Connection& connection) {
    connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection.fd < 0) {
        stop_with("socket");
    }
    if (!options_.has_new_connection_each) {
        // The system's choice may pace what is sent (bbr), with timers that this core has no time for.
        setsockopt(
            connection.fd,
            IPPROTO_TCP,
            TCP_CONGESTION,
            kCongestionControl.data(),
            kCongestionControl.size()
        );
    }
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_port = htons(options_.port);
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection.phase = Phase::connecting;
    connection.has_hung_up = false;
    if (connect(connection.fd, reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0 &&
        errno != EINPROGRESS) {
        ++errors_.connect;
        close(connection.fd);
        connection.phase = Phase::closed;
        return;
    }
    if (connection.has_request) {
        send_request(connection);
    }
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    if (connection.phase == Phase::connecting) {
        event.events |= EPOLLOUT;  // otherwise it would be one wake-up more, to hear that a socket is
                                   // writable
    }
    event.data.ptr = &connection;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) != 0) {
        stop_with("epoll_ctl");
    }
}

// Replaces a connection that is over. With a connection a request the next one is opened by the next request.
void Generator::reopen(Connection& connection) {
    close(connection.fd);
    connection.phase = Phase::closed;
    if (options_.has_new_connection_each) {
        ready_again(connection, now_ns());
    } else {
        open(connection);
    }
}

void Generator::send_request(Connection& connection) {
    const std::string& request = requests_[next_request_];
    const ssize_t sent = send(connection.fd, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN && connection.phase == Phase::connecting) {
        connection.has_request = true;  // sent when the handshake is over
        return;
    }
    next_request_ = next_request_ + 1 == requests_.size() ? 0 : next_request_ + 1;
    connection.has_request = false;
    connection.phase = Phase::waiting;
    connection.has_head = false;
    connection.partial_head.clear();
    // A failed send needs no handling here: the hang-up is reported as an event and counted as closed_early.
    if (sent >= 0 && sent != static_cast<ssize_t>(request.size())) {
        stop_with("a request of some hundred bytes did not fit into a socket");
    }
}

void Generator::start(Connection& connection, uint64_t due) {
    connection.due = due;
    if (connection.phase == Phase::closed) {
        connection.has_request = true;
        open(connection);
    } else {
        send_request(connection);
    }
}

uint64_t Generator::due_of(uint64_t index) const {
    return start_ + static_cast<uint64_t>(static_cast<double>(index) * kNanoseconds / options_.rate);
}

// Open loop: sends what is due, on the connections that are free for the longest time.
void Generator::start_due(uint64_t now) {
    while (!idle_.empty() && due_of(started_) <= now) {
        Connection& connection = *idle_.front();
        idle_.pop_front();
        start(connection, due_of(started_++));
    }
}

// The connection can carry a request.
void Generator::ready_again(Connection& connection, uint64_t now) {
    if (options_.is_hold) {
        return;
    }
    if (options_.rate > 0) {
        idle_.push_back(&connection);
        start_due(now);
    } else {
        start(connection, now);
    }
}

void Generator::finish(Connection& connection) {
    const uint64_t now = now_ns();
    if (is_measuring_) {
        ++done_;
        latencies_.add(now - connection.due);
    }
    if (options_.has_new_connection_each) {
        connection.phase = Phase::ending;
        return;
    }
    connection.phase = Phase::idle;
    ++answered_;
    ready_again(connection, now);
}

// Notes status and length of a complete head.
void Generator::check_head(Connection& connection, std::string_view head) {
    const bench::ResponseHead read = bench::read_response_head(head);
    if (read.status == 0) {
        ++errors_.malformed;
    } else if (read.status != options_.status) {
        ++errors_.status;
    }
    connection.has_head = true;
    if (bench::has_no_body(read.status)) {
        connection.body_left = 0;
        return;
    }
    if (!read.content_length || (!options_.has_any_length && read.content_length != options_.body_bytes)) {
        ++errors_.length;
    }
    connection.body_left = read.content_length.value_or(0);
}

// Takes the head off the front of `bytes`. Result: what follows it, or nothing while it is incomplete.
std::optional<std::string_view> Generator::take_head(Connection& connection, std::string_view bytes) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    if (connection.partial_head.empty()) {
        const size_t end = bytes.find(kEnd);
        if (end != std::string_view::npos) {
            check_head(connection, bytes.substr(0, end + kEnd.size()));
            return bytes.substr(end + kEnd.size());
        }
    }
    const size_t had = connection.partial_head.size();
    connection.partial_head += bytes;
    const size_t end = connection.partial_head.find(kEnd);
    if (end == std::string::npos) {
        if (connection.partial_head.size() > kHeadMax) {
            ++errors_.malformed;
            connection.partial_head.clear();
        }
        return std::nullopt;
    }
    check_head(connection, std::string_view(connection.partial_head).substr(0, end + kEnd.size()));
    connection.partial_head.clear();
    return bytes.substr(end + kEnd.size() - had);
}

void Generator::take(Connection& connection, std::string_view bytes) {
    if (connection.phase != Phase::waiting) {
        errors_.length += bytes.empty() ? 0 : 1;
        return;
    }
    if (!connection.has_head) {
        const std::optional<std::string_view> body = take_head(connection, bytes);
        if (!body) {
            return;
        }
        bytes = *body;
    }
    const uint64_t of_body = std::min<uint64_t>(bytes.size(), connection.body_left);
    connection.body_left -= of_body;
    if (bytes.size() > of_body) {
        ++errors_.length;
    }
    if (connection.body_left == 0) {
        finish(connection);
    }
}

void Generator::end_of_stream(Connection& connection) {
    if (connection.phase != Phase::ending) {
        ++errors_.closed_early;
    }
    connection.has_request = false;
    reopen(connection);
}

// Reads until the socket is empty, the answer is complete and nothing more is expected, or the connection is
// over.
void Generator::read_answer(Connection& connection) {
    for (;;) {
        const bool is_discarding =
            connection.phase == Phase::waiting && connection.has_head && connection.body_left > kDiscardFrom;
        const size_t first_read = options_.body_bytes > kDiscardFrom ? kFirstReadOfLargeBody : buffer_.size();
        const size_t asked = is_discarding         ? connection.body_left
                             : connection.has_head ? buffer_.size()
                                                   : first_read;
        const ssize_t got = is_discarding ? recv(connection.fd, nullptr, asked, MSG_TRUNC)  // tcp(7):
                                                                                            // dropped, not
                                                                                            // copied
                                          : recv(connection.fd, buffer_.data(), asked, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (got <= 0) {
            end_of_stream(connection);
            return;
        }
        const auto size = static_cast<size_t>(got);
        bytes_ += is_measuring_ ? size : 0;
        if (is_discarding) {
            connection.body_left -= size;
            if (connection.body_left == 0) {
                finish(connection);
            }
        } else {
            take(connection, {buffer_.data(), size});
        }
        if (size < asked && connection.has_hung_up && connection.phase == Phase::ending) {
            reopen(connection);
            return;
        }
        if (size < asked && !connection.has_hung_up) {
            return;  // the socket is empty: a second recv would only say EAGAIN
        }
    }
}

void Generator::handle(Connection& connection, uint32_t events) {
    if (connection.phase == Phase::closed) {
        return;  // replaced earlier in this batch
    }
    connection.has_hung_up |= (events & (EPOLLRDHUP | EPOLLHUP)) != 0;
    if (connection.phase == Phase::ending && connection.has_hung_up && (events & EPOLLERR) == 0) {
        reopen(connection);  // the answer was complete and the FIN is here: a recv would only say so again
        return;
    }
    if (connection.phase == Phase::connecting) {
        if ((events & EPOLLERR) != 0) {
            ++errors_.connect;
            connection.has_request = false;
            reopen(connection);
            return;
        }
        if ((events & EPOLLOUT) == 0) {
            return;
        }
        if (connection.has_request) {
            send_request(connection);
        } else {
            connection.phase = Phase::idle;
            ready_again(connection, now_ns());
        }
    }
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        read_answer(connection);
    }
}

// One round: sends what is due, waits at most until the next request is due, handles what happened.
void Generator::turn(uint64_t now) {
    timespec wait{.tv_sec = 0, .tv_nsec = 10'000'000};
    if (options_.rate > 0) {
        start_due(now);
        // With no free connection only an answer helps, so wait for one.
        const uint64_t due = due_of(started_);
        const uint64_t later = due > now ? due - now : 0;
        if (!idle_.empty()) {
            wait.tv_nsec = static_cast<long>(std::min<uint64_t>(later, 10'000'000));
        }
    }
    std::array<epoll_event, kEventsAtOnce> events;  // not cleared: the kernel fills what is read
    const int count = epoll_pwait2(epoll_, events.data(), kEventsAtOnce, &wait, nullptr);
    if (count < 0 && errno != EINTR) {
        stop_with("epoll_pwait2");
    }
    for (const epoll_event& event : std::span(events).first(static_cast<size_t>(std::max(count, 0)))) {
        handle(*static_cast<Connection*>(event.data.ptr), event.events);
    }
}

void Generator::begin_window() {
    is_measuring_ = true;
    errors_of_warm_up_ = errors_.total();
    times_before_ = bench::thread_times(options_.pids);
    cores_before_ = bench::core_ticks();
    own_time_before_ = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    window_start_ = now_ns();
}

std::string Generator::window_json() const {
    const double seconds = static_cast<double>(now_ns() - window_start_) / kNanoseconds;
    const uint64_t own_cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID) - own_time_before_;
    const uint64_t cpu_ns = bench::cpu_time_between(times_before_, bench::thread_times(options_.pids));
    const std::vector<bench::CoreTicks> cores = bench::core_ticks();
    std::string busy;
    for (size_t core = 0; core < std::min(cores.size(), cores_before_.size()); ++core) {
        const auto used = static_cast<double>(cores[core].busy - cores_before_[core].busy);
        const auto idle = static_cast<double>(cores[core].idle - cores_before_[core].idle);
        const auto stolen = static_cast<double>(cores[core].stolen - cores_before_[core].stolen);
        const double all = std::max(used + idle + stolen, 1.0);
        busy += std::format(
            R"({}{{"busy_percent":{:.1f},"stolen_percent":{:.1f}}})",
            core == 0 ? "" : ",",
            100.0 * used / std::max(used + idle, 1.0),
            100.0 * stolen / all
        );
    }
    const auto done = static_cast<double>(std::max<uint64_t>(done_, 1));
    return std::format(
        R"({{"requests":{},"seconds":{:.3f},"requests_per_second":{:.0f},"cpu_us_per_request":{:.3f},)"
        R"("cpu_share_percent":{:.1f},"own_cpu_share_percent":{:.1f},)"
        R"("p50_us":{:.1f},"p99_us":{:.1f},"p999_us":{:.1f},"bytes_per_request":{:.1f},)"
        R"("errors":{},"errors_in_warm_up":{},)"
        R"("errors_by_kind":{{"connect":{},"status":{},"length":{},"malformed":{},)"
        R"("closed_early":{}}},"cores":[{}]}})",
        done_,
        seconds,
        static_cast<double>(done_) / seconds,
        static_cast<double>(cpu_ns) / 1000.0 / done,
        static_cast<double>(cpu_ns) / (seconds * kNanoseconds) * 100.0,
        static_cast<double>(own_cpu_ns) / (seconds * kNanoseconds) * 100.0,
        latencies_.percentile_us(0.50, done_),
        latencies_.percentile_us(0.99, done_),
        latencies_.percentile_us(0.999, done_),
        static_cast<double>(bytes_) / done,
        errors_.total() - errors_of_warm_up_,
        errors_of_warm_up_,
        errors_.connect,
        errors_.status,
        errors_.length,
        errors_.malformed,
        errors_.closed_early,
        busy
    );
}

std::string Generator::run() {
    start_ = now_ns();
    const uint64_t window_at = start_ + static_cast<uint64_t>(options_.warm_up * kNanoseconds);
    const uint64_t end_at = window_at + static_cast<uint64_t>(options_.seconds * kNanoseconds);
    for (Connection& connection : connections_) {
        if (options_.has_new_connection_each) {
            ready_again(connection, now_ns());
        } else {
            open(connection);
        }
    }
    for (uint64_t now = now_ns(); now < end_at && errors_.total() < kErrorsMax; now = now_ns()) {
        if (!is_measuring_ && now >= window_at) {
            begin_window();
        }
        turn(now);
    }
    if (!is_measuring_) {
        begin_window();  // too many errors before it; they are reported as those of the warm-up
    }
    return window_json();
}

std::string Generator::hold() {
    const uint64_t end_at = now_ns() + static_cast<uint64_t>(options_.seconds * kNanoseconds);
    size_t opened = 0;
    for (uint64_t now = now_ns(); answered_ < connections_.size() && now < end_at && errors_.total() == 0;
         now = now_ns()) {
        while (opened < connections_.size() && opened - answered_ < kHoldInFlightMax) {
            start(connections_[opened++], now);
        }
        turn(now);
    }
    std::puts(std::format(R"({{"held":{},"errors":{}}})", answered_, errors_.total()).c_str());
    std::fflush(stdout);
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    const uint64_t now = now_ns();
    poll(&input, 1, end_at > now ? static_cast<int>((end_at - now) / 1'000'000U) : 0);

    size_t lost = 0;
    for (const Connection& connection : connections_) {
        char byte = 0;
        const bool is_open =
            connection.phase == Phase::idle && recv(connection.fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
        lost += is_open ? 0 : 1;
    }
    return std::format(R"({{"held":{},"lost":{},"errors":{}}})", answered_, lost, errors_.total());
}

}  // namespace

int main(int argument_count, char** argument_values) {
    std::signal(SIGPIPE, SIG_IGN);
    // Timers may otherwise be 50 us late, which at 15,000 requests a second is most of the gap between two of
    // them.
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    const bench::LoadOptions options =
        bench::load_options_from(std::span(argument_values, static_cast<size_t>(argument_count)));
    const auto generator = std::make_unique<Generator>(options);
    std::puts((options.is_hold ? generator->hold() : generator->run()).c_str());
    return 0;
}
