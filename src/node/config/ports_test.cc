// Where servers listen, and addresses that would be taken twice.
#include "node/config/ports.h"

#include <string>

#include <doctest/doctest.h>

#include "node/config/cases.h"

namespace node {

TEST_CASE("a tier needs no balancer") {
    Config config = good("[web]\nroot = \"a\"\n[app]\ncommand = \"a\"\n");
    CHECK(config.balancer.listen.empty());
    CHECK(config.servers[0].roles == RoleSet{Role::web, Role::app});
}

TEST_CASE("an address that one server would open twice is refused") {
    constexpr std::string_view pair =
        "[servers]\na = { address = \"10.0.0.1\", roles = [\"balancer\"] }\n"
        "b = { address = \"10.0.0.2\", roles = [\"web\"] }\n";
    for (const BadFile& bad : std::initializer_list<BadFile>{
             {"[balancer]\n[web]\nroot = \"a\"\nport = 8080\n",
              "4:8: web.port: \"http://127.0.0.1:8080\" is where the balancer listens "
              "(\"http://127.0.0.1:8080\")"},
             {"[balancer]\nlisten = \"http://*:8081\"\n[web]\nroot = \"a\"\n",
              "2:10: balancer.listen: \"http://*:8081\" is where the web tier listens "
              "(\"http://127.0.0.1:8081\")"},
             {"[app]\ncommand = \"a\"\nport = 8080\n[balancer]\n",
              "3:8: app.port: \"http://127.0.0.1:8080\" is where the balancer listens "
              "(\"http://127.0.0.1:8080\")"},
             {"[web]\nroot = \"a\"\nport = 9180\n[admin]\nlisten = \"http://127.0.0.1:9180\"\n",
              "5:10: admin.listen: \"http://127.0.0.1:9180\" is where the web tier listens "
              "(\"http://127.0.0.1:9180\")"},
             {"[app]\ncommand = \"a\"\n[admin]\nlisten = \"http://*:8082\"\n",
              "4:10: admin.listen: \"http://*:8082\" is where the app tier listens "
              "(\"http://127.0.0.1:8082\")"},
         }) {
        CAPTURE(bad.text);
        CHECK(refusals(bad.text) == bad.refusal);
    }
    std::string apart = std::string(pair) + "[web]\nroot = \"a\"\nport = 8080\n";
    CHECK(good(apart).web->port == 8080);
}

TEST_CASE("a port that nobody opens is nobody's") {
    CHECK(good("[web]\n[app]\ncommand = \"a\"\nport = 8081\n").app->port == 8081);
    std::string servers =
        "[servers]\na = { address = \"10.0.0.1\", roles = [\"web\", \"app\"] }\n"
        "b = { address = \"10.0.0.2\", roles = [\"web\"] }\n";
    CHECK(
        refusals(servers + "[web]\n[app]\ncommand = \"a\"\nport = 8081\n") ==
        "7:8: app.port: \"http://10.0.0.1:8081\" is where the web tier listens (\"http://10.0.0.1:8081\")"
    );
}

TEST_CASE("metrics of every address are those of each server's own where there are several") {
    std::string admin = "[admin]\nlisten = \"http://*:9180\"\n";
    Config one = good(admin + "[web]\n[app]\ncommand = \"a\"\n");
    CHECK(admin_address(one, one.servers[0]) == one.admin_listen);
    std::string servers =
        "[servers]\na = { address = \"10.0.0.1\", roles = [\"web\", \"app\"] }\n"
        "b = { address = \"10.0.0.2\", roles = [\"web\"] }\n";
    Config two = good(servers + admin + "[web]\n[app]\ncommand = \"a\"\n");
    CHECK(admin_address(two, two.servers[0])->to_string() == "10.0.0.1:9180");
    CHECK(admin_address(two, two.servers[1])->to_string() == "10.0.0.2:9180");
    Config none = good(servers + "[web]\n[app]\ncommand = \"a\"\n");
    CHECK_FALSE(admin_address(none, none.servers[0]).has_value());
}

}  // namespace node
