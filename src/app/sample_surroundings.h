// For the tests: what a supervisor asks of its process, and a small HTTP client on the reactor.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "app/supervisor.h"
#include "net/buffer_pool.h"
#include "net/read_buffer.h"
#include "net/socket.h"

namespace app {

struct Answer {
    int status = 0;
    std::string body;
};

// GET `target`, until the end of the connection.
inline runtime::Task<core::Result<Answer>> fetch(
    runtime::Reactor& reactor,
    net::Address address,
    std::string target,
    core::Duration timeout
) {
    core::Instant deadline = reactor.now() + timeout;
    net::BufferPool pool;
    net::SharedReadBuffer shared(pool);
    net::ReadBuffer buffer(shared);
    CO_TRY(net::Socket socket, net::Socket::connect(reactor, address));
    if (ssize_t status = co_await socket.connected(deadline); status < 0) {
        co_return core::fail(net::error_of(status, "connecting to " + address.to_string()));
    }
    std::string request = "GET " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    if (ssize_t sent = co_await socket.send(pool, request, deadline); sent < 0) {
        co_return core::fail(net::error_of(sent, "GET " + target));
    }
    ssize_t received = 0;
    do {
        received = co_await socket.receive(buffer, deadline);
    } while (received > 0);
    std::string text(buffer.bytes());
    size_t head_end = text.find("\r\n\r\n");
    if (received < 0 && received != -ECONNRESET) {
        co_return core::fail(net::error_of(received, "GET " + target));
    }
    if (head_end == std::string::npos) {
        co_return core::fail(core::ErrorKind::closed, "GET " + target + ": the connection ended");
    }
    Answer answer{.status = 0, .body = text.substr(head_end + 4)};
    std::from_chars(text.data() + 9, text.data() + 12, answer.status);
    co_return answer;
}

class SampleSurroundings final : public Surroundings {
public:
    explicit SampleSurroundings(runtime::Reactor& reactor) : reactor_(reactor) {}

    runtime::Task<core::Result<void>> probe(net::Address address, std::string path, core::Duration timeout)
        override {
        CO_TRY(Answer answer, co_await fetch(reactor_, address, path, timeout));
        if (answer.status >= 200 && answer.status < 400) {
            co_return core::Result<void>{};
        }
        co_return core::fail(core::ErrorKind::refused, "GET " + path + ": " + std::to_string(answer.status));
    }

    void publish(std::vector<upstream::BackendConfig> endpoints) override {
        published.push_back(std::move(endpoints));
    }

    runtime::Task<void> drained(net::Address address, core::Instant deadline) override {
        drained_addresses.push_back(address);
        while (asked == address && reactor_.now() < deadline) {
            [[maybe_unused]] auto woken = co_await reactor_.sleep_for(std::chrono::milliseconds(1));
        }
    }

    [[nodiscard]] std::vector<upstream::BackendConfig> published_now() const {
        return published.empty() ? std::vector<upstream::BackendConfig>{} : published.back();
    }

    std::vector<std::vector<upstream::BackendConfig>> published;  // each set, oldest first
    std::vector<net::Address> drained_addresses;
    std::optional<net::Address> asked;  // where a request of the test runs

private:
    runtime::Reactor& reactor_;
};

}  // namespace app
