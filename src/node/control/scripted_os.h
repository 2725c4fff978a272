// An operating system for tests of the verbs: control sockets that answer as a test says, and a clock that
// moves only while somebody waits.
#pragma once

#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/panic.h"
#include "runtime/os.h"

namespace node {

// A control socket. The whole request is given to `answer`, whose bytes then come back; the connection ends
// behind them.
struct ScriptedSocket {
    std::function<std::string(std::string_view request)> answer;
    int connect_error = 0;    // 0: it is accepted
    size_t piece = SIZE_MAX;  // how many bytes one call takes or gives
    bool is_silent = false;   // never answers
    bool is_pausing = false;  // every second call finds nothing to do yet
};

class ScriptedOs final : public runtime::Os {
public:
    std::map<std::string, ScriptedSocket> sockets;
    core::Instant clock{std::chrono::hours(1)};
    int open_count = 0;  // descriptors that are open

    core::Instant now() override { return clock; }
    core::WallTime wall_time() override { return {clock.since_start}; }

    int open_poll() override { return open(); }
    int watch(int, int, uint64_t) override { return 0; }
    int watch_writing(int, int, uint64_t) override { return 0; }

    int wait(int, std::span<runtime::PollEvent> events, core::Duration timeout) override {
        ASSERT(!events.empty());
        bool is_idle =
            std::ranges::all_of(connections_, [](const auto& entry) { return entry.second.is_stuck; });
        clock = clock + (is_idle ? timeout : std::chrono::microseconds(1));
        return 0;
    }

    // The machine has no addresses.
    int open_socket(int family) override { return family == AF_UNIX ? open() : -EAFNOSUPPORT; }

    int connect(int fd, const sockaddr* address, socklen_t) override {
        auto found = sockets.find(reinterpret_cast<const sockaddr_un*>(address)->sun_path);
        if (found == sockets.end() || found->second.connect_error != 0) {
            return found == sockets.end() ? -ENOENT : -found->second.connect_error;
        }
        connections_[fd].socket = &found->second;
        return 0;
    }

    ssize_t send(int fd, std::span<const iovec> parts, int) override {
        Connection& connection = connections_[fd];
        if (must_pause(connection)) {
            return -EAGAIN;
        }
        size_t size = std::min(parts[0].iov_len, connection.socket->piece);
        connection.request.append(static_cast<const char*>(parts[0].iov_base), size);
        return static_cast<ssize_t>(size);
    }

    ssize_t receive(int fd, std::span<char> target) override {
        Connection& connection = connections_[fd];
        if (connection.socket->is_silent || must_pause(connection)) {
            connection.is_stuck = connection.socket->is_silent;
            return -EAGAIN;
        }
        if (!connection.has_answered) {
            connection.answer = connection.socket->answer(connection.request);
            connection.has_answered = true;
        }
        size_t size = std::min({target.size(), connection.answer.size(), connection.socket->piece});
        std::memcpy(target.data(), connection.answer.data(), size);
        connection.answer.erase(0, size);
        return static_cast<ssize_t>(size);
    }

    void close(int fd) override {
        connections_.erase(fd);
        --open_count;
    }

    // What no verb does.
    void fill_random(std::span<std::byte>) override { PANIC("not scripted"); }
    int64_t unacknowledged(int) override { PANIC("not scripted"); }
    int open_timer() override { PANIC("not scripted"); }
    void arm_timer(int, core::Instant) override { PANIC("not scripted"); }
    int open_wake() override { PANIC("not scripted"); }
    void wake(int) override { PANIC("not scripted"); }
    void clear_wake(int) override { PANIC("not scripted"); }
    int set_option(int, int, int, int) override { PANIC("not scripted"); }
    int bind(int, const sockaddr*, socklen_t) override { PANIC("not scripted"); }
    int listen(int, int) override { PANIC("not scripted"); }
    int accept(int, sockaddr_storage&) override { PANIC("not scripted"); }
    int pending_error(int) override { PANIC("not scripted"); }
    int local_address(int, sockaddr_storage&) override { PANIC("not scripted"); }
    ssize_t peek(int, std::span<char>) override { PANIC("not scripted"); }
    void reset_on_close(int) override { PANIC("not scripted"); }
    int shutdown_write(int) override { PANIC("not scripted"); }
    int open_pipe(int (&)[2], int) override { PANIC("not scripted"); }
    ssize_t splice(int, int, size_t) override { PANIC("not scripted"); }

    ssize_t send_file(int, int, uint64_t, size_t) override { PANIC("not scripted"); }

private:
    struct Connection {
        ScriptedSocket* socket = nullptr;
        std::string request;
        std::string answer;
        bool has_answered = false;
        bool has_paused = false;
        bool is_stuck = false;
    };

    int open() {
        ++open_count;
        return next_fd_++;
    }

    static bool must_pause(Connection& connection) {
        connection.has_paused = connection.socket->is_pausing && !connection.has_paused;
        return connection.has_paused;
    }

    int next_fd_ = 1000;
    std::map<int, Connection> connections_;
};

// An answer with a body, as the server writes it.
inline std::string http_answer(int status, std::string_view body) {
    return "HTTP/1.1 " + std::to_string(status) +
           " X\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\nConnection: close\r\n\r\n" + std::string(body);
}

}  // namespace node
