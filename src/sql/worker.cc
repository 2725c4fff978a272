#include "sql/worker.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "mysql/ok_packet.h"
#include "sql/client_session.h"

namespace sql {

namespace {

constexpr size_t kListenersMax = 256;
// When descriptors are used up: how long until the next look.
constexpr core::Duration kExhaustedWait = std::chrono::milliseconds(100);
// A refused client has so long to take the reason.
constexpr core::Duration kRefusalWait = std::chrono::seconds(1);
constexpr core::Duration kTokenNoteInterval = std::chrono::milliseconds(500);
constexpr int kAcceptsPerTurn = 64;
constexpr core::Duration kSweepInterval = std::chrono::seconds(1);

// Before the watch has said anything.
std::shared_ptr<const Routing> first_routing(const Config& config) {
    auto routing = std::make_shared<Routing>();
    for (const NodeConfig& node : config.nodes) {
        routing->nodes.push_back({.address = node.address, .name = node.name});
    }
    routing->primary_why = "the servers are being looked at";
    return routing;
}

}  // namespace

Worker::Worker(runtime::Reactor& reactor, size_t core_index, const Config& config, Shared& shared)
    : reactor_(reactor),
      core_index_(core_index),
      config_(config),
      shared_(shared),
      counters_(shared.counters[core_index]),
      shared_buffer_(buffers_),
      routing_(first_routing(config)),
      random_(reactor.os().random_number()),
      login_guard_(config.limits.failed_logins),
      pool_(*this),
      acceptors_(reactor, kListenersMax),
      clients_(reactor, SIZE_MAX),
      chores_(reactor, SIZE_MAX),
      drain_begun_(reactor) {
    shared.pools[core_index] = {.reactor = &reactor, .pool = &pool_, .worker = this};
}

Worker::~Worker() = default;

void Worker::apply(std::shared_ptr<const Routing> routing) {
    routing_ = std::move(routing);
    pool_.take_routing();
    for (ClientSession* session = first_session_; session != nullptr; session = session->next_) {
        session->on_routing();
    }
}

void Worker::apply_config(const Config& config) {
    config_ = config;
    login_guard_.set_failures_max(config.limits.failed_logins);
}

void Worker::add_listener(net::Listener listener) {
    if (is_draining_) {
        return;
    }
    listeners_.push_back(std::make_unique<OpenListener>(std::move(listener)));
    acceptors_.spawn(accept_clients(*listeners_.back()));
}

uint32_t Worker::next_session_id() {
    auto cores = static_cast<uint32_t>(shared_.counters.size());
    uint32_t number = sessions_made_++ * cores + static_cast<uint32_t>(core_index_);
    return number | uint32_t{1} << 31;
}

void Worker::note_tokens_outstanding() {
    if (now() - tokens_noted_ >= kTokenNoteInterval) {
        tokens_noted_ = now();
        shared_.watch.on_tokens_outstanding();
    }
}

// Until it is stopped.
runtime::Task<void> Worker::accept_clients(OpenListener& open) {
    bool was_exhausted = false;
    int accepted = 0;
    for (;;) {
        sockaddr_storage storage;
        ssize_t fd = co_await open.listener.accept(storage);
        if (fd == -ECANCELED) {
            break;
        }
        if (fd < 0) {
            if (!std::exchange(was_exhausted, true)) {
                shared_.log.error(
                    "router",
                    "cannot accept connections",
                    {{"reason", std::strerror(static_cast<int>(-fd))}}
                );
            }
            co_await reactor_.sleep_for(kExhaustedWait);
            continue;
        }
        was_exhausted = false;
        if (shared_.clients.try_take()) {
            clients_.spawn(serve_client(static_cast<int>(fd), net::Address::of_sockaddr(storage)));
        } else {
            clients_.spawn(refuse_client(
                static_cast<int>(fd),
                mysql::kErrorTooManyConnections,
                "trilith: too many connections (database.limits.clients): close some, or raise it"
            ));
        }
        if (++accepted % kAcceptsPerTurn == 0) {
            co_await reactor_.yield();
        }
    }
    open.listener.close();
}

// As a server does that has no place left: in place of the greeting, without a SQLSTATE.
runtime::Task<void> Worker::refuse_client(int fd, uint16_t error, std::string_view message) {
    net::Socket socket(reactor_, fd);
    counters_.clients_refused.add();
    std::string packet;
    mysql::PayloadWriter writer(packet);
    static_cast<void>(mysql::write_error(
        writer,
        0,
        {.number = error, .message = message},
        mysql::ErrorForm::without_sqlstate
    ));
    [[maybe_unused]] ssize_t sent = co_await socket.send(buffers_, packet, now() + kRefusalWait);
}

runtime::Task<void> Worker::turn_away(int fd, uint16_t error, std::string_view message) {
    co_await refuse_client(fd, error, message);
    shared_.clients.give_back();
}

// The client has its place.
runtime::Task<void> Worker::serve_client(int fd, net::Address peer) {
    uint32_t per_address = config_.limits.clients_per_address;
    bool is_counted = per_address != 0 && peer.family() != AF_UNIX;
    if (login_guard_.is_blocked(peer, now())) {
        return turn_away(
            fd,
            mysql::kErrorHostIsBlocked,
            "trilith: too many failed logins from this address; wait a minute"
        );
    }
    if (is_counted && !shared_.clients_by_address.try_add(peer.bytes(), per_address)) {
        return turn_away(
            fd,
            mysql::kErrorTooManyConnections,
            "trilith: too many connections from this address (database.limits.clients_per_address)"
        );
    }
    return serve_session(fd, std::move(peer), is_counted ? AddressCount::counted : AddressCount::not_counted);
}

// All that an idle client keeps is in this frame and the one below it.
runtime::Task<void> Worker::serve_session(int fd, net::Address peer, AddressCount count) {
    counters_.clients.add(1);
    counters_.clients_total.add();
    std::optional<ClientSession> session;
    session.emplace(*this, net::Socket(reactor_, fd), peer);
    co_await session->serve();
    session.reset();
    counters_.clients.add(-1);
    if (count == AddressCount::counted) {
        shared_.clients_by_address.remove(peer.bytes());
    }
    shared_.clients.give_back();
}

// Until it is stopped.
runtime::Task<void> Worker::sweep_pool() {
    for (;;) {
        auto outcome = co_await reactor_.sleep_until(reactor_.housekeeping_in(kSweepInterval));
        if (outcome == runtime::Outcome::cancelled) {
            co_return;
        }
        pool_.sweep();
    }
}

runtime::Task<void> Worker::serve() {
    chores_.spawn(sweep_pool());
    co_await drain_begun_.wait();
    is_draining_ = true;
    acceptors_.request_stop();
    co_await acceptors_.join();
    listeners_.clear();
    for (ClientSession* session = first_session_; session != nullptr; session = session->next_) {
        session->on_drain();
    }
    co_await clients_.join(drain_deadline_);
    chores_.request_stop();
    co_await chores_.join();
    pool_.close();
}

void Worker::drain(core::Instant deadline) {
    if (is_draining_) {
        clients_.request_stop();
        return;
    }
    drain_deadline_ = deadline;
    drain_begun_.set();
}

ClientSession* Worker::find_session(uint32_t id) const {
    ClientSession* session = first_session_;
    while (session != nullptr && session->id() != id) {
        session = session->next_;
    }
    return session;
}

void Worker::enlist(ClientSession& session) {
    session.next_ = first_session_;
    if (first_session_ != nullptr) {
        first_session_->previous_ = &session;
    }
    first_session_ = &session;
}

void Worker::delist(ClientSession& session) {
    if (session.next_ != nullptr) {
        session.next_->previous_ = session.previous_;
    }
    (session.previous_ == nullptr ? first_session_ : session.previous_->next_) = session.next_;
}

}  // namespace sql
