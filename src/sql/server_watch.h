// Watches the database servers: asks each of them at every interval, decides who is primary and who may
// serve reads, imports the accounts, and publishes each change to the cores. Lives on the control reactor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/log.h"
#include "net/read_buffer.h"
#include "runtime/event.h"
#include "runtime/task_group.h"
#include "sql/config.h"
#include "sql/heartbeat.h"
#include "sql/node_probe.h"
#include "sql/routing.h"
#include "sql/topology.h"

namespace sql {

struct WatchedNode {
    NodeConfig config{};
    size_t slot = 0;  // in Routing::nodes; no other node's, and as many are used as there are, or were
    NodeOverride override{};  // of a node that was not there before
};

struct WatchConfig {
    std::vector<WatchedNode> nodes{};
    std::string user{};      // the router's own account, on all nodes
    std::string password{};  // "" is none
    core::Duration interval = std::chrono::milliseconds(500);
    core::Duration timeout = std::chrono::seconds(1);  // of one look at one node, connecting included
    uint32_t fall = 2;  // looks in a row that must fail until a node is given up
    core::Duration max_lag = std::chrono::seconds(5);
    bool is_appointed = false;  // see ServerWatch::appoint()
};

// Who is primary, as whoever keeps the servers says it.
struct Appointment {
    std::optional<net::Address> primary{};
    bool is_held = false;  // work that runs goes on, new work waits
    std::string why{};     // why there is nobody, or why it is held: for a client's error
};

class ServerWatch {
public:
    // Called on the control reactor, at once at the start of serve() and then on each change. The receiver
    // posts it to the cores.
    using Publish = std::function<void(std::shared_ptr<const Routing>)>;

    ServerWatch(runtime::Reactor& reactor, core::Log& log, Publish publish);
    ~ServerWatch();
    ServerWatch(const ServerWatch&) = delete;
    ServerWatch& operator=(const ServerWatch&) = delete;

    // Takes over a configuration, at the start and at a reload: there as soon as what runs has ended, within
    // milliseconds. A node of the same address keeps what is known of it; one that is gone stays in its slot,
    // as removed.
    void apply(const WatchConfig& config);

    // Of servers that are kept by us: from now on this is so, and published when this returns.
    void appoint(const Appointment& appointment);
    // At the node of this place in the configuration: published when this returns.
    void set_override(size_t place, const NodeOverride& override) {
        topology_.set_override(place, override);
        publish();
    }

    // Watches until the fiber is stopped.
    [[nodiscard]] runtime::Task<void> serve();

    // In the order of the configuration that is in force, also before anything is published.
    [[nodiscard]] const std::vector<Node>& nodes() const { return topology_.nodes(); }
    // In Routing::nodes, of the node of this place in the configuration that is in force.
    [[nodiscard]] size_t slot(size_t place) const { return config_.nodes[place].slot; }
    // As published last; never null.
    [[nodiscard]] const std::shared_ptr<const Routing>& routing() const { return routing_; }

    // What cores tell, by post(). All are cheap, and may be told often.

    // A login failed that might be right with newer accounts: they are imported, at most once a second.
    void on_failed_login();
    // A session waits for a GTID on a replica, or may soon: positions are looked at every 50 ms for the next
    // second.
    void on_tokens_outstanding();
    // A session's connection to this node failed or could not be opened: it is looked at at once (at most ten
    // times a second).
    void on_node_failure(const net::Address& address);

private:
    enum class HeartbeatState : uint8_t { unknown, beats, refused };

    // One node's task.
    struct Watched {
        Watched(runtime::Reactor& reactor, net::SharedReadBuffer& shared, const net::Address& address)
            : probe(reactor, shared, address), wake(reactor) {}

        NodeProbe probe;
        runtime::Event wake;  // a look is wanted, or positions are
        bool is_look_wanted = false;
        core::Instant look_began{};
    };

    void take_over(const WatchConfig& config);
    runtime::Task<void> watch_node(size_t place);
    runtime::Task<void> await_next_look(size_t place, core::Instant due);
    void take_look(size_t place, const Look& look);
    [[nodiscard]] core::Duration interval_of(uint32_t failures) const;
    void log_changes(const std::vector<TopologyChange>& changes);
    [[nodiscard]] std::vector<Node> nodes_by_slot() const;
    void publish();

    // server_watch_primary.cc
    runtime::Task<void> keep_accounts();
    void take_accounts(const std::string& name, core::Result<AccountList> list);
    runtime::Task<void> keep_heartbeat();
    runtime::Task<core::Duration> write_beat(NodeProbe& probe);
    void note_heartbeat(HeartbeatState state, const std::string& why);

    runtime::Reactor& reactor_;
    core::Log& log_;
    Publish publish_;
    net::BufferPool buffers_;
    net::SharedReadBuffer shared_buffer_;
    WatchConfig config_;
    LoginAccount account_;
    std::optional<WatchConfig> next_config_;  // of a reload, until the tasks have ended
    bool is_serving_ = false;
    Topology topology_;
    std::string held_why_;                           // not empty: new work waits
    std::vector<std::unique_ptr<Watched>> watched_;  // parallel to the topology's nodes
    runtime::Event reconfigured_;
    runtime::Event import_wanted_;
    core::Instant tokens_until_{};
    Heartbeat heartbeat_;
    std::optional<net::Address> beaten_;  // of whom it is
    HeartbeatState heartbeat_state_ = HeartbeatState::unknown;
    std::shared_ptr<const AccountList> accounts_;
    std::string accounts_why_;
    std::shared_ptr<const Routing> routing_;
};

}  // namespace sql
