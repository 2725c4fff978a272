// The balancer on one core: accepts clients, serves their connections, keeps this core's pools.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "balancer/access_log.h"
#include "balancer/shared.h"
#include "balancer/snapshot.h"
#include "core/random.h"
#include "http/request_reader.h"
#include "net/buffer_pool.h"
#include "net/listener.h"
#include "net/read_buffer.h"
#include "net/splice_pipe.h"
#include "runtime/event.h"
#include "runtime/task_group.h"
#include "upstream/connection_pool.h"
#include "upstream/retry_budget.h"

namespace balancer {

class ClientConnection;

// A handler of one core, and the maker that it came from.
struct CoreHandler {
    std::shared_ptr<const http::LocalHandlerMaker> maker;
    std::shared_ptr<http::LocalHandler> handler;
};

// A publication as one core holds it: its pools with their connections. Kept alive by the connections that
// use it.
struct Generation {
    std::shared_ptr<const Snapshot> snapshot;
    std::vector<std::shared_ptr<upstream::ConnectionPool>> pools;  // parallel to Config::pools
    std::vector<CoreHandler> handlers;                             // parallel to Publication::handlers
};

class Worker {
public:
    Worker(runtime::Reactor& reactor, size_t core_index, Shared& shared);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Takes over a configuration. On this worker's reactor; before serve() for the first.
    void apply(const Publication& publication);
    // Takes over one pool's new state.
    void apply_pool(std::shared_ptr<const upstream::PoolState> state);
    // A listener opened for this worker's reactor by the control thread; accepts until close_listener(). On
    // this reactor.
    void add_listener(net::Listener listener);
    void close_listener(const net::Address& address);

    // Serves until drain() is over.
    [[nodiscard]] runtime::Task<void> serve();
    // Stops accepting, closes idle connections, lets running exchanges end until the deadline, then cuts
    // them. A second call cuts them at once.
    void drain(core::Instant deadline);

    // For connections and exchanges.
    [[nodiscard]] runtime::Reactor& reactor() { return reactor_; }
    [[nodiscard]] core::Instant now() const { return reactor_.now(); }
    [[nodiscard]] net::BufferPool& buffers() { return buffers_; }
    [[nodiscard]] net::SharedReadBuffer& shared_buffer() { return shared_buffer_; }
    [[nodiscard]] net::SplicePipes& pipes() { return pipes_; }
    [[nodiscard]] http::FieldTable& request_fields() { return request_fields_; }
    // The request head that was parsed last; like its fields, valid until the next is parsed on this core.
    [[nodiscard]] http::RequestHead& request_head() { return request_head_; }
    [[nodiscard]] http::FieldTable& response_fields() { return response_fields_; }
    // Memory to write a response head and small body to; used and sent within one turn, between two
    // suspensions.
    [[nodiscard]] std::span<char> scratch() { return {scratch_.get(), kScratchBytes}; }
    // Memory for a normalised path; likewise.
    [[nodiscard]] std::span<char> path_scratch() { return {path_scratch_.get(), kPathBytes}; }
    [[nodiscard]] Shared& shared() { return shared_; }
    [[nodiscard]] CoreCounters& counters() { return counters_; }
    [[nodiscard]] upstream::RetryBudget& retry_budget() { return retry_budget_; }
    [[nodiscard]] AccessLog& access_log() { return access_log_; }
    [[nodiscard]] const std::shared_ptr<const Generation>& generation() const { return generation_; }
    [[nodiscard]] bool is_draining() const { return is_draining_; }
    // Civil time, HTTP-date form (IMF-fixdate), exact to the second.
    [[nodiscard]] std::string_view date();
    // 32 hexadecimal digits, not guessable from one another by chance; valid until the next call.
    [[nodiscard]] std::string_view new_request_id();
    void report(
        upstream::ConnectionPool& pool,
        upstream::BackendLink& backend,
        upstream::PassiveKind kind,
        std::string sentence
    );

    // The process has no descriptor left: gives back those of idle backend connections and of kept files.
    void release_descriptors();

    void enlist(ClientConnection& connection);
    void delist(ClientConnection& connection);

private:
    static constexpr size_t kScratchBytes = 64 << 10;
    static constexpr size_t kPathBytes = 48 << 10;
    static constexpr size_t kListenersMax = 256;  // twice what a configuration may have: a reload opens
                                                  // before it closes

    struct OpenListener {
        explicit OpenListener(net::Listener opened) : listener(std::move(opened)) {}

        net::Listener listener;
        runtime::Fiber* accepting = nullptr;
    };

    [[nodiscard]] std::shared_ptr<http::LocalHandler> handler_of(const http::LocalHandlerMaker& maker) const;
    runtime::Task<void> accept_clients(std::shared_ptr<OpenListener> open);
    runtime::Task<void> serve_client(int fd, net::Address peer);
    runtime::Task<void> sweep_pools();

    runtime::Reactor& reactor_;
    size_t core_index_;
    Shared& shared_;
    CoreCounters& counters_;
    net::BufferPool buffers_;
    net::SharedReadBuffer shared_buffer_;
    net::SplicePipes pipes_;
    http::FieldTable request_fields_;
    http::RequestHead request_head_;
    http::FieldTable response_fields_;
    std::unique_ptr<char[]> scratch_;
    std::unique_ptr<char[]> path_scratch_;
    AccessLog access_log_;
    upstream::RetryBudget retry_budget_;
    core::Random random_;
    std::shared_ptr<const Generation> generation_;
    std::unordered_map<std::string, std::shared_ptr<upstream::ConnectionPool>> pools_;
    std::vector<std::shared_ptr<OpenListener>> listeners_;
    runtime::TaskGroup acceptors_;
    runtime::TaskGroup clients_;
    runtime::TaskGroup chores_;
    runtime::Event drain_begun_;
    ClientConnection* first_connection_ = nullptr;
    bool is_draining_ = false;
    core::Instant drain_deadline_ = core::Instant::never();
    int64_t date_second_ = -1;
    std::array<char, 29> date_{};
    std::array<char, 32> request_id_{};
};

}  // namespace balancer
