#include "balancer/worker.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "balancer/client_connection.h"
#include "core/panic.h"
#include "http/http_date.h"

namespace balancer {

namespace {

constexpr uint32_t kFieldsMax = 1000;  // the largest balancer.limits.headers
constexpr core::Duration kSweepInterval = std::chrono::seconds(1);
constexpr core::Duration kLogInterval = std::chrono::milliseconds(200);
// At the bound of connections, and when descriptors are used up: how long until the next look.
constexpr core::Duration kFullWait = std::chrono::milliseconds(10);
constexpr core::Duration kExhaustedWait = std::chrono::milliseconds(100);
// A failing backend is reported at most this often; the first failure is reported at once.
constexpr core::Duration kReportInterval = std::chrono::milliseconds(20);
constexpr int kAcceptsPerTurn = 64;

}  // namespace

Worker::Worker(runtime::Reactor& reactor, size_t core_index, Shared& shared)
    : reactor_(reactor),
      core_index_(core_index),
      shared_(shared),
      counters_(shared.counters[core_index]),
      shared_buffer_(buffers_),
      pipes_(reactor.os()),
      request_fields_(kFieldsMax),
      response_fields_(kFieldsMax),
      scratch_(std::make_unique<char[]>(kScratchBytes)),
      path_scratch_(std::make_unique<char[]>(kPathBytes)),
      access_log_(shared.control, counters_),
      retry_budget_({}),
      random_(reactor.os().random_number()),
      acceptors_(reactor, kListenersMax * 2),
      clients_(reactor, SIZE_MAX),
      chores_(reactor, 1),
      drain_begun_(reactor) {}

Worker::~Worker() = default;

void Worker::apply(const Publication& publication) {
    auto generation = std::make_shared<Generation>();
    generation->snapshot = publication.snapshot;
    std::unordered_map<std::string, std::shared_ptr<upstream::ConnectionPool>> pools;
    for (const auto& state : publication.pools) {
        std::shared_ptr<upstream::ConnectionPool> pool;
        if (auto known = pools_.find(state->config.name); known != pools_.end()) {
            pool = known->second;
            pool->apply(state);
        } else {
            pool = std::make_shared<upstream::ConnectionPool>(reactor_, core_index_, state);
        }
        pools.emplace(state->config.name, pool);
        generation->pools.push_back(std::move(pool));
    }
    for (const auto& maker : publication.handlers) {
        generation->handlers.push_back({.maker = maker, .handler = handler_of(*maker)});
    }
    pools_ = std::move(pools);
    generation_ = std::move(generation);
    const LimitConfig& limits = generation_->snapshot->config.limits;
    retry_budget_.set_options({.percent = limits.retry_budget_percent});
    // Idle connections let go of the old generation, and with it of pools that are gone.
    for (ClientConnection* connection = first_connection_; connection != nullptr;
         connection = connection->next_) {
        if (!connection->is_serving_) {
            connection->adopt_generation();
        }
    }
}

// The one that this core has of `maker` already, with all that it has cached, or a new one.
std::shared_ptr<http::LocalHandler> Worker::handler_of(const http::LocalHandlerMaker& maker) const {
    if (generation_ != nullptr) {
        auto known = std::ranges::find(generation_->handlers, &maker, [](const CoreHandler& of_core) {
            return of_core.maker.get();
        });
        if (known != generation_->handlers.end()) {
            return known->handler;
        }
    }
    return maker.make();
}

void Worker::apply_pool(std::shared_ptr<const upstream::PoolState> state) {
    if (auto known = pools_.find(state->config.name); known != pools_.end()) {
        known->second->apply(std::move(state));
    }
}

void Worker::add_listener(net::Listener listener) {
    ASSERT(listeners_.size() < kListenersMax);
    if (is_draining_) {
        return;
    }
    auto open = std::make_shared<OpenListener>(std::move(listener));
    listeners_.push_back(open);
    acceptors_.spawn(accept_clients(std::move(open)));
}

void Worker::close_listener(const net::Address& address) {
    std::erase_if(listeners_, [&](const std::shared_ptr<OpenListener>& open) {
        bool is_meant = open->listener.address() == address;
        if (is_meant && open->accepting != nullptr) {
            open->accepting->request_stop();
        }
        return is_meant;
    });
}

// Accepts until it is stopped; then takes what had arrived before and closes the listener.
runtime::Task<void> Worker::accept_clients(std::shared_ptr<OpenListener> open) {
    open->accepting = &co_await runtime::CurrentFiber{};
    bool was_exhausted = false;
    bool was_full = false;
    int accepted = 0;
    for (;;) {
        sockaddr_storage storage;
        ssize_t fd = co_await open->listener.accept(storage);
        if (fd == -ECANCELED) {
            break;
        }
        if (fd < 0) {
            if (!std::exchange(was_exhausted, true)) {
                shared_.log.error(
                    "balancer",
                    "cannot accept connections",
                    {{"reason", std::strerror(static_cast<int>(-fd))}}
                );
            }
            release_descriptors();
            co_await reactor_.sleep_for(kExhaustedWait);
            continue;
        }
        was_exhausted = false;
        bool has_place = shared_.connections.try_take();
        while (!has_place) {
            if (!std::exchange(was_full, true)) {
                shared_.log.warn("balancer", "balancer.limits.connections is reached: new clients wait");
            }
            if (co_await reactor_.sleep_for(kFullWait) == runtime::Outcome::cancelled) {
                break;
            }
            has_place = shared_.connections.try_take();
        }
        if (!has_place) {
            reactor_.os().close(static_cast<int>(fd));
            break;
        }
        clients_.spawn(serve_client(static_cast<int>(fd), net::Address::of_sockaddr(storage)));
        was_full = was_full && shared_.connections.used() >= shared_.connections.limit();
        if (++accepted % kAcceptsPerTurn == 0) {
            co_await reactor_.yield();
        }
    }
    open->accepting = nullptr;
    // What had arrived before is still served.
    sockaddr_storage storage;
    for (ssize_t fd = open->listener.try_accept(storage); fd >= 0; fd = open->listener.try_accept(storage)) {
        if (!shared_.connections.try_take()) {
            reactor_.os().close(static_cast<int>(fd));
            break;
        }
        clients_.spawn(serve_client(static_cast<int>(fd), net::Address::of_sockaddr(storage)));
    }
    open->listener.close();
}

runtime::Task<void> Worker::serve_client(int fd, net::Address peer) {
    uint32_t per_client = generation_->snapshot->config.limits.connections_per_client;
    net::Socket socket(reactor_, fd);
    if (per_client == 0 || shared_.clients.try_add(peer.bytes(), per_client)) {
        counters_.connections.add(1);
        counters_.connections_total.add();
        {
            ClientConnection connection(*this, std::move(socket), peer);
            co_await connection.serve();
        }
        counters_.connections.add(-1);
        if (per_client != 0) {
            shared_.clients.remove(peer.bytes());
        }
    } else {
        counters_.connections_refused.add();
        socket.reset_on_close();
    }
    shared_.connections.give_back();
}

runtime::Task<void> Worker::sweep_pools() {
    core::Instant next_sweep = reactor_.housekeeping_in(kSweepInterval);
    bool is_stopped = false;
    while (!is_stopped) {
        bool is_logging = generation_ != nullptr && generation_->snapshot->config.access_log.is_enabled;
        core::Instant wake =
            is_logging ? std::min(next_sweep, reactor_.housekeeping_in(kLogInterval)) : next_sweep;
        is_stopped = co_await reactor_.sleep_until(wake) == runtime::Outcome::cancelled;
        access_log_.flush();
        if (now() >= next_sweep) {
            next_sweep = reactor_.housekeeping_in(kSweepInterval);
            for (auto& [name, pool] : pools_) {
                pool->sweep();
            }
        }
    }
}

runtime::Task<void> Worker::serve() {
    chores_.spawn(sweep_pools());
    co_await drain_begun_.wait();
    is_draining_ = true;
    acceptors_.request_stop();
    co_await acceptors_.join();
    listeners_.clear();
    for (ClientConnection* connection = first_connection_; connection != nullptr;
         connection = connection->next_) {
        connection->stop_if_idle();
    }
    co_await clients_.join(drain_deadline_);
    chores_.request_stop();
    co_await chores_.join();
    pools_.clear();
    generation_.reset();
}

void Worker::drain(core::Instant deadline) {
    drain_deadline_ = deadline;
    if (is_draining_) {
        clients_.request_stop();
    }
    drain_begun_.set();
}

void Worker::release_descriptors() {
    for (auto& [name, pool] : pools_) {
        pool->drop_idle();
    }
    for (const CoreHandler& of_core : generation_->handlers) {
        of_core.handler->release_descriptors();
    }
}

std::string_view Worker::date() {
    int64_t second = reactor_.os().wall_time().since_epoch / std::chrono::seconds(1);
    if (second != date_second_) {
        date_second_ = second;
        std::ranges::copy(http::format_http_date(second), date_.begin());
    }
    return {date_.data(), date_.size()};
}

std::string_view Worker::new_request_id() {
    static constexpr char kHex[] = "0123456789abcdef";
    for (size_t half = 0; half < 2; ++half) {
        uint64_t bits = random_.next();
        for (size_t at = 0; at < 16; ++at, bits >>= 4) {
            request_id_[half * 16 + at] = kHex[bits & 15];
        }
    }
    return {request_id_.data(), request_id_.size()};
}

void Worker::report(
    upstream::ConnectionPool& pool,
    upstream::BackendLink& backend,
    upstream::PassiveKind kind,
    std::string sentence
) {
    if (backend.reported_at + kReportInterval > now() && backend.reported_at != core::Instant{}) {
        return;
    }
    backend.reported_at = now();
    shared_.control.report({
        .pool = pool.state().config.name,
        .backend_id = backend.record->id,
        .kind = kind,
        .sentence = std::move(sentence),
    });
}

void Worker::enlist(ClientConnection& connection) {
    connection.next_ = first_connection_;
    if (first_connection_ != nullptr) {
        first_connection_->previous_ = &connection;
    }
    first_connection_ = &connection;
}

void Worker::delist(ClientConnection& connection) {
    if (connection.next_ != nullptr) {
        connection.next_->previous_ = connection.previous_;
    }
    (connection.previous_ == nullptr ? first_connection_ : connection.previous_->next_) = connection.next_;
}

}  // namespace balancer
