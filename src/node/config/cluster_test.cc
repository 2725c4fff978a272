// What [database] means where servers of the site have the role, and what is refused of it.
#include "node/config/cluster.h"

#include <string>

#include <doctest/doctest.h>

#include "node/config/cases.h"
#include "node/config/database.h"
#include "node/config/explain.h"

namespace node {

namespace {

constexpr std::string_view kTwoKept = R"([servers]
db1 = { address = "10.0.0.1", roles = ["database", "router"] }
db2 = { address = "10.0.0.2", roles = ["database"] }
[database]
name = "shop"
)";

std::string kept_with(std::string_view line) { return std::string(kTwoKept) + std::string(line) + "\n"; }

}  // namespace

TEST_CASE("the shortest cluster is its servers and a schema") {
    Config config = good(kTwoKept);
    REQUIRE(config.cluster.has_value());
    cluster::Config expected;
    expected.name = "shop";
    expected.primary = "db1";
    CHECK(*config.cluster == expected);
    REQUIRE(config.database.has_value());
    CHECK(
        config.database->nodes ==
        std::vector<sql::NodeConfig>{
            {.address = *net::Address::parse("10.0.0.1:3307"), .name = "db1"},
            {.address = *net::Address::parse("10.0.0.2:3307"), .name = "db2"},
        }
    );
    CHECK(router_listen(config, config.servers[0]) == std::vector{*net::Address::parse("10.0.0.1:3306")});
    auto places = cluster_places(config, "/state/database");
    REQUIRE(places.size() == 2);
    CHECK(places[1].directory == "/state/database/servers/db2");
    CHECK(places[1].manager == *net::Address::parse("10.0.0.2:3308"));
}

TEST_CASE("every key that keeps a cluster reaches its field, and is explained so that it is read again") {
    Config config = good(kept_with(R"(primary = "db2"
durability = "async"
alone = "hold"
memory = "1GiB"
directory = "/srv/db"
port = 13307
manager_port = 13308)"));
    cluster::Config expected{
        .name = "shop",
        .primary = "db2",
        .durability = upstream::Durability::async,
        .alone = cluster::Alone::hold,
        .memory = 1ULL << 30,
        .directory = "/srv/db",
        .port = 13307,
        .manager_port = 13308,
    };
    CHECK(*config.cluster == expected);
    CHECK(cluster_places(config, "/state")[0].directory == "/srv/db/db1");
    Config again = good(explain(config));
    CHECK(again.cluster == config.cluster);
    CHECK(again.database == config.database);
}

TEST_CASE("a section alone keeps one database here") {
    Config config = good("[database]\nname = \"shop\"\n");
    CHECK(config.servers[0].roles == RoleSet{Role::database, Role::router});
}

TEST_CASE("a wrong cluster is refused, and the cure is told") {
    struct Wrong {
        std::string_view line;
        std::string_view part;
    };
    for (const Wrong& wrong : {
             Wrong{"primary = \"db3\"", "no server named \"db3\" has the role \"database\""},
             Wrong{"durability = \"some\"", "durability"},
             Wrong{"nodes = [\"10.0.0.1:3306\"]", "leave it out"},
             Wrong{"account = { user = \"a\" }", "leave it out"},
             Wrong{"port = 3308", "its mariadbd"},
             Wrong{"port = 3306", "the SQL router"},
             Wrong{"memory = \"1MiB\"", "16MiB"},
         }) {
        std::string told = refusals(kept_with(wrong.line));
        CHECK_MESSAGE(told.contains(wrong.part), told);
    }
    CHECK(refusals("[database]\n").contains("name is missing"));
    CHECK(refusals("[database]\nname = \"mysql\"\n").contains("no schema of the server's own"));
    CHECK(refusals("[database]\nname = \"a'b\"\n").contains("no schema of the server's own"));
}

}  // namespace node
