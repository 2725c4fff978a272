// What all cores of one router share: process-wide bounds, counters, and the ways to the control thread.
#pragma once

#include <deque>

#include "core/log.h"
#include "net/address.h"
#include "runtime/keyed_count.h"
#include "runtime/quota.h"
#include "sql/config.h"
#include "sql/counters.h"

namespace sql {

// What cores have to tell; called from any core, returns at once. See ServerWatch.
class WatchLink {
public:
    virtual ~WatchLink() = default;
    virtual void on_failed_login() = 0;
    virtual void on_tokens_outstanding() = 0;
    virtual void on_node_failure(const net::Address& address) = 0;
};

struct Shared {
    Shared(const Config& router_config, size_t cores, core::Log& program_log, WatchLink& watch_link)
        : config(router_config), clients(router_config.limits.clients), log(program_log), watch(watch_link) {
        for (size_t core = 0; core < cores; ++core) {
            counters.emplace_back(router_config.nodes.size());
        }
    }

    const Config config;
    runtime::Quota clients;
    runtime::KeyedCount clients_by_address;
    std::deque<CoreCounters> counters;  // one a core
    core::Log& log;
    WatchLink& watch;
};

}  // namespace sql
