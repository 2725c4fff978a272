// What is derived for the roles of a server, so that the tiers of a site agree.
#include "node/config/front_plan.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "node/config/file.h"

namespace node {
namespace {

constexpr std::string_view kThreeServers = R"(
[servers]
lb1  = { address = "127.0.0.11", roles = ["balancer"] }
web1 = { address = "127.0.0.12", roles = ["web", "app"] }
web2 = { address = "127.0.0.13", roles = ["web", "app"], weight = 50 }
[balancer]
listen = ["http://127.0.0.1:8080"]
[web]
root = "/srv/public"
[app]
command = ["./app"]
)";

std::vector<FrontPlan> plans_of(std::string_view text, std::string_view server) {
    auto config = read_config(text, "trilith.toml");
    REQUIRE(config.has_value());
    auto self = std::ranges::find(config->servers, server, &ServerConfig::name);
    REQUIRE(self != config->servers.end());
    return plan_fronts(*config, *self);
}

TEST_CASE("the balancer sends to the web servers, from its own address") {
    auto plans = plans_of(kThreeServers, "lb1");
    REQUIRE(plans.size() == 1);
    CHECK(plans[0].tier == kBalancerTier);
    REQUIRE(plans[0].balancer.pools.size() == 1);
    const upstream::PoolConfig& pool = plans[0].balancer.pools[0];
    REQUIRE(pool.backends.size() == 2);
    CHECK(pool.backends[0].address.to_string() == "127.0.0.12:8081");
    CHECK(pool.backends[1].weight == 50);
    CHECK(pool.health.path == "/healthz");
    REQUIRE(pool.source.has_value());
    CHECK(pool.source->host_string() == "127.0.0.11");
}

TEST_CASE("a web server believes the balancer, answers its health and hands on what is no file") {
    auto plans = plans_of(kThreeServers, "web2");
    REQUIRE(plans.size() == 1);
    const balancer::Config& front = plans[0].balancer;
    CHECK(plans[0].tier == kWebTier);
    REQUIRE(front.listen.size() == 1);
    CHECK(front.listen[0].to_string() == "127.0.0.13:8081");
    CHECK(front.trusted_proxies == std::vector<std::string>{"127.0.0.11"});
    REQUIRE(front.routes.size() == 2);
    CHECK(front.routes[0].path == "/healthz");
    CHECK(std::holds_alternative<HealthPlan>(plans[0].handlers[front.routes[0].handler]));
    CHECK(std::holds_alternative<web::Config>(plans[0].handlers[front.routes[1].handler]));
    REQUIRE(front.pools.size() == 1);
    CHECK(front.pools[0].name == kAppPool);
    CHECK(front.pools[0].backends.empty());  // they come with the instances
    CHECK(front.pools[0].keeps_listening);
    CHECK(front.routes[1].pool == 0);
}

TEST_CASE("an application server of its own has a front, and a web server without a program sends there") {
    constexpr std::string_view text = R"(
[servers]
web1 = { address = "127.0.0.12", roles = ["web"] }
both = { address = "127.0.0.13", roles = ["web", "app"] }
app1 = { address = "127.0.0.14", roles = ["app"] }
[web]
root = "/srv/public"
[app]
command = ["./app"]
)";
    auto plans = plans_of(text, "app1");
    REQUIRE(plans.size() == 1);
    CHECK(plans[0].tier == kAppTier);
    CHECK(plans[0].balancer.listen[0].to_string() == "127.0.0.14:8082");
    CHECK(plans[0].balancer.trusted_proxies == std::vector<std::string>{"127.0.0.12", "127.0.0.13"});
    auto web = plans_of(text, "web1");
    REQUIRE(web[0].balancer.pools.size() == 1);
    const upstream::PoolConfig& pool = web[0].balancer.pools[0];
    REQUIRE(pool.backends.size() == 2);
    CHECK(pool.backends[0].address.to_string() == "127.0.0.13:8082");
    CHECK_FALSE(pool.keeps_listening);
    // Somebody else's web tier needs the program of a server that has a web tier of its own.
    auto both = plans_of(text, "both");
    REQUIRE(both.size() == 2);
    CHECK(both[0].tier == kWebTier);
    CHECK(both[1].tier == kAppTier);
}

TEST_CASE("two access logs on one server are refused") {
    constexpr std::string_view text = R"(
[servers]
one = { address = "127.0.0.12", roles = ["balancer", "web"] }
[balancer.access_log]
file = "/tmp/a.log"
[web]
root = "/srv/public"
[web.access_log]
file = "/tmp/b.log"
)";
    auto plans = plans_of(text, "one");
    REQUIRE(plans.size() == 2);
    CHECK_FALSE(check_access_logs(plans).has_value());
    plans[1].balancer.access_log.file = "/tmp/a.log";
    CHECK(check_access_logs(plans).has_value());
    plans[1].balancer.access_log.is_enabled = false;
    plans[1].balancer.access_log.file = "/tmp/b.log";
    CHECK(check_access_logs(plans).has_value());
}

}  // namespace
}  // namespace node
