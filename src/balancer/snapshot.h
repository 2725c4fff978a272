// One configuration as the cores use it: immutable, replaced as a whole by a reload.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "balancer/config.h"
#include "balancer/route_table.h"
#include "balancer/trusted_proxies.h"
#include "http/local_answer.h"
#include "upstream/pool_state.h"

namespace balancer {

struct Snapshot {
    Snapshot(const Config& checked, TrustedProxies proxies)
        : config(checked), routes(checked.routes), trusted_proxies(std::move(proxies)) {}

    Config config;
    RouteTable routes;
    TrustedProxies trusted_proxies;
};

// A snapshot with the pools' states of the same moment; parallel to Config::pools.
struct Publication {
    std::shared_ptr<const Snapshot> snapshot;
    std::vector<std::shared_ptr<const upstream::PoolState>> pools;
    // Of what is answered in this process; see RouteConfig::handler.
    std::vector<std::shared_ptr<const http::LocalHandlerMaker>> handlers{};
};

}  // namespace balancer
