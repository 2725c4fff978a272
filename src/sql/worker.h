// The SQL router on one core: accepts clients and serves their sessions by the routing that the control side
// publishes.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "net/buffer_pool.h"
#include "net/listener.h"
#include "net/read_buffer.h"
#include "runtime/event.h"
#include "runtime/task_group.h"
#include "sql/login_guard.h"
#include "sql/routing.h"
#include "sql/server_pool.h"
#include "sql/shared.h"

namespace sql {

class ClientSession;

class Worker {
public:
    Worker(runtime::Reactor& reactor, size_t core_index, const Config& config, Shared& shared);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Takes over what is known of the servers. On this worker's reactor.
    void apply(std::shared_ptr<const Routing> routing);
    // After a reload: what is read of it holds from now on. On this worker's reactor.
    void apply_config(const Config& config);
    // A listener opened for this worker's reactor. On this reactor.
    void add_listener(net::Listener listener);

    // Serves until drain() is over.
    [[nodiscard]] runtime::Task<void> serve();
    // Stops accepting, closes sessions that are idle outside of a transaction, lets the others come there
    // until the deadline, then cuts them. A second call cuts them at once.
    void drain(core::Instant deadline);

    // For sessions.
    [[nodiscard]] runtime::Reactor& reactor() { return reactor_; }
    [[nodiscard]] core::Instant now() const { return reactor_.now(); }
    [[nodiscard]] net::BufferPool& buffers() { return buffers_; }
    [[nodiscard]] net::SharedReadBuffer& shared_buffer() { return shared_buffer_; }
    [[nodiscard]] Shared& shared() { return shared_; }
    // Stays where it is; a reload changes it between two turns of the reactor.
    [[nodiscard]] const Config& config() const { return config_; }
    [[nodiscard]] CoreCounters& counters() { return counters_; }
    [[nodiscard]] const std::shared_ptr<const Routing>& routing() const { return routing_; }
    [[nodiscard]] ServerPool& pool() { return pool_; }
    [[nodiscard]] core::Random& random() { return random_; }
    [[nodiscard]] LoginGuard& login_guard() { return login_guard_; }
    [[nodiscard]] bool is_draining() const { return is_draining_; }
    // What the client takes for its connection's id: unlike a server's own ids, from 2^31 on.
    [[nodiscard]] uint32_t next_session_id();
    // A session waits for a position, or soon will: told to the watch, not more often than it matters.
    void note_tokens_outstanding();

    // Runs beside the sessions, and must come to an end by itself.
    void spawn_chore(runtime::Task<void> chore) { chores_.spawn(std::move(chore)); }

    // Null: no session has this id, which is a session's of this core.
    [[nodiscard]] ClientSession* find_session(uint32_t id) const;
    // Runs beside the sessions, and ends as they do.
    void spawn(runtime::Task<void> work) { clients_.spawn(std::move(work)); }

    void enlist(ClientSession& session);
    void delist(ClientSession& session);

private:
    struct OpenListener {
        explicit OpenListener(net::Listener opened) : listener(std::move(opened)) {}

        net::Listener listener;
    };

    runtime::Task<void> accept_clients(OpenListener& open);
    enum class AddressCount : uint8_t { counted, not_counted };
    [[nodiscard]] [[clang::coro_wrapper]] runtime::Task<void> serve_client(int fd, net::Address peer);
    runtime::Task<void> serve_session(int fd, net::Address peer, AddressCount count);
    runtime::Task<void> turn_away(int fd, uint16_t error, std::string_view message);
    runtime::Task<void> sweep_pool();
    runtime::Task<void> refuse_client(int fd, uint16_t error, std::string_view message);

    runtime::Reactor& reactor_;
    size_t core_index_;
    Config config_;
    Shared& shared_;
    CoreCounters& counters_;
    net::BufferPool buffers_;
    net::SharedReadBuffer shared_buffer_;
    std::shared_ptr<const Routing> routing_;
    core::Random random_;
    LoginGuard login_guard_;
    ServerPool pool_;
    std::vector<std::unique_ptr<OpenListener>> listeners_;
    runtime::TaskGroup acceptors_;
    runtime::TaskGroup clients_;
    runtime::TaskGroup chores_;
    runtime::Event drain_begun_;
    ClientSession* first_session_ = nullptr;
    uint32_t sessions_made_ = 0;
    bool is_draining_ = false;
    core::Instant drain_deadline_ = core::Instant::never();
    core::Instant tokens_noted_{};
};

}  // namespace sql
