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
    Shared(const Config& router_config, size_t cores, core::Log& program_log, WatchLink& watch_link)
        : config(router_config),
          clients(router_config.limits.clients),
          queue(router_config.pool.queue),
          pools(cores),
          log(program_log),
          watch(watch_link) {
        for (size_t core = 0; core < cores; ++core) {
            counters.emplace_back(router_config.nodes.size());
        }
        for (size_t node = 0; node < router_config.nodes.size(); ++node) {
            places.emplace_back(router_config.pool.connections);
        }
    }

    const Config config;
    runtime::Quota clients;
    runtime::KeyedCount clients_by_address;
    runtime::Quota queue;               // sessions that wait for a place at any node
    std::deque<NodePlaces> places;      // as `config.nodes`
    std::vector<CorePool> pools;        // as the cores; filled in by the workers before any runs
    std::deque<CoreCounters> counters;  // one a core
    core::Log& log;
    WatchLink& watch;
};

}  // namespace sql
