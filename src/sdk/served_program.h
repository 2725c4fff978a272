// For tests: a program served on a thread of its own on a port of the system's choice, and a client with
// blocking sockets.
#pragma once

#include <trilith/app.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace trilith::sdk {

// How long a condition may take before a test fails instead of hanging.
inline constexpr int kPatienceSeconds = 20;

class ServedProgram {
public:
    explicit ServedProgram(App& app);
    ~ServedProgram();
    ServedProgram(const ServedProgram&) = delete;
    ServedProgram& operator=(const ServedProgram&) = delete;

    void stop();
    // Stops and awaits the end.
    void end();

    [[nodiscard]] uint16_t port() const;
    // All log lines, once it has ended, which it does first.
    [[nodiscard]] std::string logged();

private:
    struct Running;

    std::unique_ptr<Running> running_;
};

// Whether an answer begins with this status.
[[nodiscard]] inline bool is_status(std::string_view answer, int status) {
    return answer.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
}

class Client {
public:
    explicit Client(const ServedProgram& served);
    ~Client() { close(); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] bool is_connected() const { return is_connected_; }

    void send(std::string_view text) const;

    // All up to and with `end`, or to the end of the stream.
    [[nodiscard]] std::string read_until(std::string_view end);
    // An answer with Content-Length, or without a body.
    [[nodiscard]] std::string read_answer();
    [[nodiscard]] std::string read_to_end();

    [[nodiscard]] std::string ask(std::string_view request);
    [[nodiscard]] std::string get(std::string_view target);

    // The peer closed, after what was read.
    [[nodiscard]] bool has_ended() { return received_.empty() && !receive(); }

    void close();

private:
    bool receive();
    std::string take(size_t count);

    int fd_;
    bool is_connected_ = false;
    std::string received_;
};

}  // namespace trilith::sdk
