#include "node/config/front_plan.h"

#include <algorithm>

#include "node/config/app.h"
#include "node/config/derived.h"
#include "node/config/listen.h"

namespace node {

namespace {

using balancer::RouteConfig;

// The forwarded headers of the tier before are believed, and of nobody else.
std::vector<std::string> addresses_with_role(const Config& config, Role role) {
    std::vector<std::string> addresses;
    for (const ServerConfig& server : config.servers) {
        if (server.roles.has(role)) {
            addresses.push_back(server.address.host_string());
        }
    }
    return addresses;
}

// The program's instances on this server, which come and go while it runs.
upstream::PoolConfig own_instances(const AppConfig& app) {
    upstream::PoolConfig pool;
    pool.name = kAppPool;
    pool.health = app.program.health.running;
    pool.health.path = app.program.health.path;
    pool.keeps_listening = app.program.listen != app::Listen::port;
    return pool;
}

// The program on other servers, behind their doors for it.
upstream::PoolConfig other_servers(const Config& config, const ServerConfig& self) {
    upstream::PoolConfig pool;
    pool.name = kAppPool;
    pool.health.path = config.app->program.health.path;
    pool.source = self.address;
    for (const ServerConfig& server : config.servers) {
        if (runs_app(server)) {
            pool.backends.push_back({
                .name = server.name,
                .address = at_port(server.address, config.app->port),
                .weight = server.weight,
            });
        }
    }
    return pool;
}

FrontPlan plan_balancer(const Config& config, const ServerConfig& server) {
    FrontPlan plan{
        .tier = std::string(kBalancerTier),
        .listen_key = "balancer.listen",
        .balancer = config.balancer,
        .handlers = {}
    };
    for (upstream::PoolConfig& pool : plan.balancer.pools) {
        if (pool.name == derived_pool_name(config)) {
            pool.source = server.address;  // by which the tier behind knows whom to trust
        }
    }
    plan.handlers.assign(config.route_sites.begin(), config.route_sites.end());
    return plan;
}

FrontPlan plan_web(const Config& config, const ServerConfig& server) {
    const WebConfig web = config.web.value_or(WebConfig{});
    FrontPlan plan{
        .tier = std::string(kWebTier),
        .listen_key = "web.port",
        .balancer = {},
        .handlers = {HealthPlan{}, web.site}
    };
    balancer::Config& front = plan.balancer;
    front.listen = {at_port(server.address, web.port)};
    front.threads = web.threads;
    front.timeouts = web.timeouts;
    front.limits = web.limits;
    front.access_log = web.access_log;
    front.trusted_proxies = addresses_with_role(config, Role::balancer);
    if (config.app) {
        front.pools.push_back(runs_app(server) ? own_instances(*config.app) : other_servers(config, server));
    }
    size_t pool = front.pools.empty() ? balancer::kNoTarget : 0;
    front.routes.push_back({.host = "", .path = web.health_path, .pool = balancer::kNoTarget, .handler = 0});
    front.routes.push_back({.host = "", .path = "", .pool = pool, .handler = 1});
    return plan;
}

FrontPlan plan_app(const Config& config, const ServerConfig& server) {
    FrontPlan plan{
        .tier = std::string(kAppTier),
        .listen_key = "app.port",
        .balancer = {},
        .handlers = {HealthPlan{}}
    };
    balancer::Config& front = plan.balancer;
    front.listen = {at_port(server.address, config.app->port)};
    front.trusted_proxies = addresses_with_role(config, Role::balancer);
    for (std::string& address : addresses_with_role(config, Role::web)) {
        front.trusted_proxies.push_back(std::move(address));
    }
    front.pools.push_back(own_instances(*config.app));
    front.routes.push_back(
        {.host = "", .path = config.app->program.health.path, .pool = balancer::kNoTarget, .handler = 0}
    );
    front.routes.push_back({.host = "", .path = "", .pool = 0});
    return plan;
}

// What goes to standard output is kept with the server's log files as well; all of it where they are to have
// it. A server has one access log: a tier whose own is not enabled joins that of the others.
void keep_access_logs(const LogConfig& log, std::vector<FrontPlan>& plans) {
    auto enabled = std::ranges::find_if(plans, [](const FrontPlan& plan) {
        return plan.balancer.access_log.is_enabled;
    });
    balancer::AccessLogConfig common;
    if (enabled != plans.end()) {
        common = enabled->balancer.access_log;
    } else {
        common = {.is_enabled = true, .file = {}, .is_printed = false};
    }
    bool has_requests = log.is_enabled && log.has_requests;
    for (FrontPlan& plan : plans) {
        balancer::AccessLogConfig& access = plan.balancer.access_log;
        access = access.is_enabled || !has_requests ? access : common;
        access.is_kept = log.is_enabled && access.is_enabled && (access.file.empty() || has_requests);
    }
}

}  // namespace

std::vector<FrontPlan> plan_fronts(const Config& config, const ServerConfig& server) {
    std::vector<FrontPlan> plans;
    if (server.roles.has(Role::balancer)) {
        plans.push_back(plan_balancer(config, server));
    }
    if (server.roles.has(Role::web)) {
        plans.push_back(plan_web(config, server));
    }
    if (has_app_port(config, server)) {
        plans.push_back(plan_app(config, server));
    }
    keep_access_logs(config.log, plans);
    return plans;
}

core::Result<void> check_access_logs(const std::vector<FrontPlan>& plans) {
    const FrontPlan* first = nullptr;
    for (const FrontPlan& plan : plans) {
        if (!plan.balancer.access_log.is_enabled) {
            continue;
        }
        if (first != nullptr && first->balancer.access_log.file != plan.balancer.access_log.file) {
            return core::fail(
                core::ErrorKind::conflict,
                first->tier + ".access_log and " + plan.tier +
                    ".access_log name two files, and a server that has both roles has one access log: write "
                    "the "
                    "same file in both (each line names its tier)"
            );
        }
        first = first == nullptr ? &plan : first;
    }
    return {};
}

}  // namespace node
