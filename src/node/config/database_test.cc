// What [database] means, and what is refused of it.
#include "node/config/database.h"

#include <string>

#include <doctest/doctest.h>

#include "node/config/cases.h"

namespace node {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kShortest = R"(
[database]
nodes = ["10.0.0.5:3306"]
account = { user = "trilith" }
)";

std::string with(std::string_view line) { return std::string(kShortest) + std::string(line) + "\n"; }

}  // namespace

TEST_CASE("the shortest router is its nodes and its account") {
    Config config = good(kShortest);
    CHECK(config.servers[0].roles == RoleSet{Role::router});
    CHECK(runs_router(config, config.servers[0]));
    REQUIRE(config.database.has_value());
    sql::Config expected;
    expected.listen = {*net::Address::parse("127.0.0.1:3306")};
    expected.nodes = {{.address = *net::Address::parse("10.0.0.5:3306"), .name = "10.0.0.5:3306"}};
    expected.account.user = "trilith";
    CHECK(*config.database == expected);
}

TEST_CASE("every key of [database] reaches its field") {
    Config config = good(R"(
[database]
engine = "mariadb"
listen = ["127.0.0.1:3307", "unix:run/db.sock"]
name = "shop"
nodes = ["10.0.0.5:3306", { address = "[::1]:3307", weight = 25 }]
account = { user = "watch", password_file = "secrets/watch" }
reads = "all"
max_lag = "1s"
read_your_writes = { wait = "0s" }
hold = "3s"
pool = { connections = 7, queue = 8, queue_timeout = "9s", idle = "10s", prepared = 5, warm = 1 }
limits = { clients = 5, clients_per_address = 2, failed_logins = 3, packet = "1MiB" }
timeouts = { login = "1s", connect = "2s", idle = "3s", body = "4s", drain = "5s" }
)");
    const sql::Config& database = *config.database;
    REQUIRE(database.listen.size() == 2);
    CHECK(database.listen[1].to_string() == "unix:/run/db.sock");
    CHECK(database.name == "shop");
    CHECK(database.nodes[0].weight == 100);
    CHECK(database.nodes[1].name == "[::1]:3307");
    CHECK(database.nodes[1].address == *net::Address::parse("[::1]:3307"));
    CHECK(database.nodes[1].weight == 25);
    CHECK(database.account == sql::AccountConfig{.user = "watch", .password_file = "/secrets/watch"});
    CHECK(database.reads == sql::Reads::all);
    CHECK(database.max_lag == 1s);
    CHECK(database.own_writes_wait == 0s);
    CHECK(database.hold == 3s);
    CHECK(
        database.limits ==
        sql::LimitConfig{.clients = 5, .clients_per_address = 2, .failed_logins = 3, .packet = 1 << 20}
    );
    CHECK(
        database.pool ==
        sql::PoolConfig{
            .connections = 7,
            .queue = 8,
            .queue_timeout = 9s,
            .idle = 10s,
            .prepared = 5,
            .warm = 1
        }
    );
    CHECK(
        database.timeouts ==
        sql::TimeoutConfig{.login = 1s, .connect = 2s, .idle = 3s, .body = 4s, .drain = 5s}
    );
}

TEST_CASE("a server with an app has a router, one with neither has none") {
    Config config = good(R"(
[servers]
w = { address = "10.0.0.2", roles = ["web", "app"] }
r = { address = "10.0.0.3", roles = ["router"] }
b = { address = "10.0.0.4", roles = ["balancer"] }
[app]
command = ["./app"]
[database]
nodes = ["10.0.0.5:3306"]
account = { user = "trilith" }
)");
    CHECK(runs_router(config, config.servers[0]));
    CHECK(runs_router(config, config.servers[1]));
    CHECK_FALSE(runs_router(config, config.servers[2]));
}

TEST_CASE("what is wrong with [database] is told with its place and a cure") {
    struct Row {
        std::string text;
        std::string_view told;
    };
    const Row rows[] = {
        {"[database]\naccount = { user = \"a\" }\n", "1:1: [database]: nodes is missing; write nodes = "},
        {"[database]\nnodes = [\"10.0.0.5:3306\"]\n", "1:1: [database]: account is missing; write account"},
        {with("red = 1"), "did you mean \"reads\"?"},
        {with("reads = \"some\""), "database.reads: "},
        {with("engine = \"mysql\""), "not supported by this version"},
        {with("listen = \"mysql://127.0.0.1:3306\""), ": it is no URL, write it without the scheme"},
        {with("listen = [\"127.0.0.1:1\", \"127.0.0.1:1\"]"), "which is there already"},
        {with("listen = []"), "database.listen: expected 1 to 100 addresses, found 0"},
        {with("max_lag = \"1ms\""), "database.max_lag: expected 100ms to 1d"},
        {"[database]\nnodes = [\"10.0.0.5\"]\naccount = { user = \"a\" }\n", "2:10: database.nodes: "},
        {"[database]\nnodes = [\"10.0.0.5\"]\naccount = { user = \"a\" }\n", ": write the port, too"},
        {"[database]\nnodes = [{ weight = 5 }]\naccount = { user = \"a\" }\n", "needs an address, such as"},
        {"[database]\nnodes = [{ address = \"10.0.0.5:1\", weight = 257 }]\naccount = { user = \"a\" }\n",
         "database.nodes.weight: expected an integer from 0 to 256"},
        {"[database]\nnodes = [\"10.0.0.5:1\", { address = \"10.0.0.5:1\" }]\naccount = { user = \"a\" }\n",
         "database.nodes: \"10.0.0.5:1\" is there already"},
        {"[database]\nnodes = [\"db1:3306\"]\naccount = { user = \"a\" }\n", ": names are not looked up"},
        {"[database]\nnodes = [\"10.0.0.5:3306\"]\naccount = { user = \"a\", password = \"x\" }\n",
         "a password does not stand in this file"},
        {"[servers]\nb = { roles = [\"balancer\"] }\n[pools.a]\nbackends = [\"127.0.0.1:1\"]" +
             std::string(kShortest),
         "[database]: no server has the role \"router\" or \"app\""},
        {"[servers]\nb = { roles = [\"router\"] }\n", "but there is no [database]"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        std::string told = refusals(row.text);
        CAPTURE(told);
        CHECK(told.contains(row.told));
    }
}

}  // namespace node
