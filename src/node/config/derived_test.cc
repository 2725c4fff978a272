// The pool of the servers behind a balancer, and the routes that lead to it.
#include "node/config/derived.h"

#include <string>

#include <doctest/doctest.h>

#include "node/config/cases.h"

namespace node {

namespace {

constexpr std::string_view kSite = R"([servers]
lb1  = { address = "10.0.0.1", roles = ["balancer"] }
web2 = { address = "10.0.0.3", roles = ["web", "app"], weight = 50 }
web1 = { address = "fd00::2", roles = ["web", "app"] }
[web]
root = "public"
[app]
command = "./app"
)";

constexpr std::string_view kApps = R"([servers]
lb1  = { address = "10.0.0.1", roles = ["balancer"] }
app1 = { address = "10.0.0.2", roles = ["app"], weight = 7 }
[app]
command = "./app"
port = 9000
health.path = "/up"
)";

std::string with(std::string_view text, std::string_view more) {
    return std::string(text) + std::string(more);
}

}  // namespace

TEST_CASE("the web servers behind a balancer are its pool, in the order of the file") {
    Config config = good(kSite);
    const balancer::Config& balancer = config.balancer;
    REQUIRE(balancer.pools.size() == 1);
    upstream::PoolConfig expected;
    expected.name = "web";
    expected.backends = {
        {.name = "web2", .address = *net::Address::parse("10.0.0.3:8081"), .weight = 50},
        {.name = "web1", .address = *net::Address::parse("[fd00::2]:8081")},
    };
    expected.health.path = "/healthz";
    CHECK(balancer.pools[0] == expected);
    CHECK(balancer.routes == std::vector{balancer::RouteConfig{}});
    CHECK(balancer.listen == std::vector{*net::Address::parse("10.0.0.1:8080")});
}

TEST_CASE("the derived pool takes what [balancer] says of pools") {
    Config config = good(with(
        kSite,
        "[balancer]\nmode = \"active-passive\"\nfailback = false\nhealth = { path = \"/lb\", fall = 9 }\n"
    ));
    const upstream::PoolConfig& pool = config.balancer.pools[0];
    CHECK(pool.mode == upstream::Mode::active_passive);
    CHECK_FALSE(pool.has_failback);
    CHECK(pool.health == upstream::HealthConfig{.path = "/lb", .fall = 9});
    CHECK(pool.backends[0].name == "web2");
}

TEST_CASE("without web servers the app's are the pool") {
    Config config = good(kApps);
    const upstream::PoolConfig& pool = config.balancer.pools.at(0);
    CHECK(pool.name == "app");
    CHECK(pool.backends.at(0).name == "app1");
    CHECK(pool.backends[0].address == *net::Address::parse("10.0.0.2:9000"));
    CHECK(pool.backends[0].weight == 7);
    CHECK(pool.health.path == "/up");
}

TEST_CASE("one server may have every role") {
    Config config = good("[balancer]\n[web]\nport = 80\n[app]\ncommand = \"a\"\n");
    CHECK(config.servers[0].roles == RoleSet{Role::balancer, Role::web, Role::app});
    CHECK(config.balancer.pools.at(0).backends.at(0).address == *net::Address::parse("127.0.0.1:80"));
}

TEST_CASE("nothing is derived without a balancer, or without servers behind it") {
    CHECK(good("[web]\nroot = \"a\"\n").balancer == balancer::Config{});
    CHECK(derived_pool_name(good("[web]\nroot = \"a\"\n")) == "");
    CHECK(derived_pool_name(good(kPool)) == "");
    CHECK(good(kPool).balancer.pools.size() == 1);
}

TEST_CASE("routes name the derived pool beside others") {
    std::string other = "[pools.app]\nbackends = [\"127.0.0.1:1\"]\n";
    Config config =
        good(with(kSite, other + "[[routes]]\nhost = \"x\"\npool = \"app\"\n[[routes]]\npool = \"web\"\n"));
    REQUIRE(config.balancer.pools.size() == 2);
    CHECK(config.balancer.pools[config.balancer.routes[0].pool].name == "app");
    CHECK(config.balancer.pools[config.balancer.routes[1].pool].name == "web");
    CHECK(
        refusals(with(kSite, other)) ==
        "9:1: 2 pools but no [[routes]]: write a [[routes]] with pool = \"app\" for the requests that it "
        "takes, and one for each of the others"
    );
    CHECK(
        refusals(with(kSite, "[[routes]]\npool = \"wep\"\n")) ==
        "10:8: no pool \"wep\"; did you mean \"web\"?"
    );
}

TEST_CASE("the name of the derived pool is taken") {
    CHECK(
        refusals(with(kSite, "[pools.web]\nbackends = [\"127.0.0.1:1\"]\n[[routes]]\npool = \"web\"\n")) ==
        "9:8: [pools.web]: the pool of the servers with the role \"web\" has this name; take another"
    );
    CHECK(
        refusals(with(kApps, "[pools.app]\nbackends = [\"127.0.0.1:1\"]\n[[routes]]\npool = \"app\"\n")) ==
        "8:8: [pools.app]: the pool of the servers with the role \"app\" has this name; take another"
    );
}

}  // namespace node
