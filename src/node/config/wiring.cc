#include "node/config/wiring.h"

#include <algorithm>
#include <format>
#include <ranges>
#include <span>
#include <string_view>

#include "cluster/settings.h"
#include "core/joined.h"
#include "node/config/cluster.h"
#include "node/config/database.h"
#include "node/config/front_plan.h"
#include "node/config/listen.h"

namespace node {

namespace {

constexpr size_t kToldMax = 8;

std::string joined_words(const std::vector<std::string>& words) {
    std::string text = core::joined(std::views::take(words, kToldMax));
    return words.size() > kToldMax ? std::format("{} and {} more", text, words.size() - kToldMax) : text;
}

std::string check_text(const upstream::HealthConfig& health) {
    return std::format(
        "{} every {}, down after {}, up after {}",
        health.path ? "GET " + *health.path : "a TCP connect",
        core::format_duration(health.interval),
        health.fall,
        health.rise
    );
}

std::string pool_text(const Config& config, const upstream::PoolConfig& pool) {
    if (pool.backends.empty()) {
        const app::Config& program = config.app->program;
        std::string number = program.instances == 0 ? "one a processor" : std::to_string(program.instances);
        return std::format("the program's instances here ({}; {})", number, check_text(pool.health));
    }
    std::vector<std::string> backends;
    for (const upstream::BackendConfig& backend : pool.backends) {
        std::string address = backend.address.to_string();
        backends.push_back(backend.name == address ? address : backend.name + " " + address);
    }
    return std::format(
        "pool {}: {} ({}{}; {})",
        pool.name,
        joined_words(backends),
        pool.mode == upstream::Mode::active_passive ? "active-passive: the first that is up takes all"
                                                    : "active-active: by weight",
        pool.source ? ", from " + pool.source->host_string() : "",
        check_text(pool.health)
    );
}

std::string front_text(const Config& config, const FrontPlan& plan) {
    std::vector<std::string> listens;
    for (const net::Address& address : plan.balancer.listen) {
        listens.push_back(listen_text(address));
    }
    std::vector<std::string> targets;
    for (const HandlerPlan& handler : plan.handlers) {
        const auto* files = std::get_if<web::Config>(&handler);
        if (files != nullptr && !files->root.empty()) {
            targets.push_back("files of " + files->root);
        }
    }
    for (const upstream::PoolConfig& pool : plan.balancer.pools) {
        targets.push_back(pool_text(config, pool));
    }
    std::string text = std::format("{}: {} → ", plan.tier, joined_words(listens));
    for (const std::string& target : targets) {
        text += (&target == targets.data() ? "" : "; else ") + target;
    }
    if (plan.tier != kBalancerTier && !plan.balancer.trusted_proxies.empty()) {
        text += "; believes forwarded headers of " + joined_words(plan.balancer.trusted_proxies);
    }
    return text;
}

std::string router_text(const Config& config, const ServerConfig& server) {
    std::vector<std::string> listens;
    for (const net::Address& address : router_listen(config, server)) {
        listens.push_back(database_listen_text(address));
    }
    std::vector<std::string> nodes;
    for (const sql::NodeConfig& node : config.database->nodes) {
        std::string address = node.address.to_string();
        nodes.push_back(node.name.empty() || node.name == address ? address : node.name + " " + address);
    }
    return std::format(
        "router: {} → {}: writes to the primary, reads: {}",
        joined_words(listens),
        joined_words(nodes),
        reads_name(config.database->reads)
    );
}

std::string database_text(const Config& config, const ServerConfig& server) {
    std::vector<std::string> others;
    std::string own;
    for (const cluster::Place& place : cluster_places(config, "")) {
        if (place.server == server.name) {
            own = std::format(
                "database: mariadbd {}, for Trilith alone {}",
                place.database.to_string(),
                place.manager.to_string()
            );
        } else {
            others.push_back(place.server);
        }
    }
    if (others.empty()) {
        return own + "; the only one: nothing is replicated";
    }
    if (server.name == config.cluster->primary) {
        return std::format("{}; the first primary, copied by {}", own, joined_words(others));
    }
    return std::format("{}; a replica of the primary, at first of {}", own, config.cluster->primary);
}

}  // namespace

std::vector<std::string> wiring_of(const Config& config, const ServerConfig& server) {
    std::vector<std::string> sentences;
    for (const FrontPlan& plan : plan_fronts(config, server)) {
        sentences.push_back(front_text(config, plan));
    }
    if (runs_app(server) && config.cluster) {
        sentences.push_back(std::format(
            "program: DATABASE_URL=mysql://{}:SECRET@{}/{}",
            cluster::kAppUser,
            router_listen(config, server).front().to_string(),
            config.cluster->name
        ));
    }
    if (runs_router(config, server)) {
        sentences.push_back(router_text(config, server));
    }
    if (server.roles.has(Role::database)) {
        sentences.push_back(database_text(config, server));
    }
    return sentences;
}

}  // namespace node
