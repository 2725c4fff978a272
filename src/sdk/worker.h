// One thread's share of a server: accepts, keeps its connections, and what they share.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.h"
#include "core/random.h"
#include "net/buffer_pool.h"
#include "net/read_buffer.h"
#include "runtime/blocking_pool.h"
#include "runtime/event.h"
#include "runtime/quota.h"
#include "runtime/task_group.h"
#include "sdk/database_pool.h"
#include "sdk/listening_socket.h"
#include "sdk/program.h"

namespace trilith::sdk {

class Connection;
class Exchange;

// What all threads of a server share.
struct Shared {
    const Program& program;
    core::Log& log;
    runtime::Quota connections;
    runtime::BlockingPool blocking;
};

class Worker {
public:
    static constexpr size_t kScratchBytes = 64 << 10;

    Worker(runtime::Reactor& reactor, Shared& shared);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Its thread runs the program's chores (App::every), too.
    void take_chores() { has_chores_ = true; }

    // Accepts on the sockets, which it takes, and serves until stop().
    [[nodiscard]] runtime::Task<void> serve(std::vector<Acceptor> acceptors);

    // Accepts nothing more, ends idle connections, and gives what runs the time until `deadline`, after which
    // it is cancelled. A second call cancels at once. On the reactor's thread.
    void stop(core::Instant deadline);

    [[nodiscard]] bool is_stopping() const { return is_stopping_; }

    [[nodiscard]] runtime::Reactor& reactor() const { return reactor_; }

    [[nodiscard]] core::Instant now() const { return reactor_.now(); }

    [[nodiscard]] const Program& program() const { return shared_.program; }

    [[nodiscard]] core::Log& log() const { return shared_.log; }

    [[nodiscard]] runtime::BlockingPool& blocking() const { return shared_.blocking; }

    [[nodiscard]] net::BufferPool& buffers() { return buffers_; }

    [[nodiscard]] net::SharedReadBuffer& shared_buffer() { return shared_buffer_; }

    // Memory for composing one answer; void once a task suspends.
    [[nodiscard]] std::span<char> scratch() const { return {scratch_.get(), kScratchBytes}; }

    // "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7), of this second.
    [[nodiscard]] std::string_view date();

    void write_request_id(std::span<char, 32> target);

    // Of a database that the program uses (asserted).
    [[nodiscard]] DatabasePool& database(const DatabaseSettings& settings);

    // One that is free, or a new one.
    [[nodiscard]] std::unique_ptr<Exchange> take_exchange();
    void give_back(std::unique_ptr<Exchange> exchange);

private:
    friend class Connection;

    [[nodiscard]] runtime::Task<void> accept_clients(Acceptor& acceptor);
    [[nodiscard]] runtime::Task<void> serve_client(int fd);
    [[nodiscard]] runtime::Task<void> end_fresh_connections();
    [[nodiscard]] runtime::Task<void> repeat(const Chore& chore);
    [[nodiscard]] runtime::Task<void> run_once(const Chore& chore);
    void accept_waiting(Acceptor& acceptor);
    void stop_idle(bool is_last_call);
    void enlist(Connection& connection);
    void delist(Connection& connection);

    runtime::Reactor& reactor_;
    Shared& shared_;
    net::BufferPool buffers_;
    net::SharedReadBuffer shared_buffer_;
    std::unique_ptr<char[]> scratch_;
    std::vector<std::unique_ptr<Exchange>> free_exchanges_;
    std::array<char, 29> date_{};
    int64_t date_second_ = -1;
    core::Random random_;
    Connection* first_connection_ = nullptr;
    runtime::TaskGroup accepting_;
    runtime::TaskGroup clients_;
    runtime::TaskGroup endings_;  // of what stops
    runtime::TaskGroup chores_;
    bool has_chores_ = false;
    std::vector<std::unique_ptr<DatabasePool>> databases_;
    runtime::Event stop_begun_;
    core::Instant stop_deadline_ = core::Instant::never();
    bool is_stopping_ = false;
};

}  // namespace trilith::sdk
