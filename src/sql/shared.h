// What all cores of one router share: process-wide bounds, counters, and the ways to the control thread.
#pragma once

#include <deque>
#include <vector>

#include "core/log.h"
#include "net/address.h"
#include "runtime/keyed_count.h"
#include "runtime/quota.h"
#include "sql/config.h"
#include "sql/counters.h"
#include "sql/node_places.h"
#include "sql/routing.h"

namespace sql {

// What cores have to tell; called from any core, returns at once. See ServerWatch.
class WatchLink {
public:
    virtual ~WatchLink() = default;
    virtual void on_failed_login() = 0;
    virtual void on_tokens_outstanding() = 0;
    virtual void on_node_failure(const net::Address& address) = 0;
};

class ServerPool;
class Worker;

// What others send messages to on one core.
struct CorePool {
    runtime::Reactor* reactor = nullptr;
    ServerPool* pool = nullptr;
    Worker* worker = nullptr;
};

struct Shared {
    Shared(const Config& config, size_t cores, core::Log& program_log, WatchLink& watch_link)
        : clients(config.limits.clients),
          queue(config.pool.queue),
          pools(cores),
          log(program_log),
          watch(watch_link) {
        for (size_t core = 0; core < cores; ++core) {
            counters.emplace_back(kNodeSlotsMax);
        }
        for (size_t slot = 0; slot < kNodeSlotsMax; ++slot) {
            places.emplace_back(config.pool.connections);
        }
    }

    // After a reload: the bounds of another configuration. What is over one ends by itself.
    void set_limits(const Config& config) {
        clients.set_limit(config.limits.clients);
        queue.set_limit(config.pool.queue);
        for (NodePlaces& of_node : places) {
            of_node.connections.set_limit(config.pool.connections);
        }
    }

    runtime::Quota clients;
    runtime::KeyedCount clients_by_address;
    runtime::Quota queue;               // sessions that wait for a place at any node
    std::deque<NodePlaces> places;      // by slot
    std::vector<CorePool> pools;        // as the cores; filled in by the workers before any runs
    std::deque<CoreCounters> counters;  // one a core
    core::Log& log;
    WatchLink& watch;
};

}  // namespace sql
