// What is refused of the site, its servers and the admin listener.
#include "node/config/servers.h"

#include <string>

#include <doctest/doctest.h>

#include "node/config/cases.h"

namespace node {

TEST_CASE("a wrong site is refused") {
    for (const BadFile& bad : std::initializer_list<BadFile>{
             {"site = 5\n", "1:8: site: expected a name such as \"www.foobar.com\", found the integer 5"},
             {"site = \"\"\n", "1:8: site: expected a name such as \"www.foobar.com\", found an empty text"},
             {"site = \"../x\"\n",
              "1:8: site: expected 1 to 100 letters, digits, \".\", \"_\" or \"-\", a letter or digit first, "
              "found "
              "\"../x\""},
             {"site = \"a\\u0000b\"\n",
              "1:8: site: expected a name such as \"www.foobar.com\", found a text with a control character: "
              "\"a\\u0000b\""},
             {"sites = \"a\"\n", "1:1: unknown key \"sites\"; did you mean \"site\"?"},
             {"port = 80\n",
              "1:1: unknown key \"port\"; known keys: site, user, servers, balancer, admin, log, web, app, "
              "database, "
              "pools, routes, drill, objectives"},
         }) {
        std::string text = std::string(bad.text) + std::string(kPool);
        CAPTURE(text);
        CHECK(refusals(text) == bad.refusal);
    }
}

TEST_CASE("a wrong server is refused") {
    for (const BadFile& bad : std::initializer_list<BadFile>{
             {"servers = 1\n", "1:11: servers: expected a table, found the integer 1"},
             {"[servers]\n", "1:1: [servers]: expected 1 to 1000 servers, found 0"},
             {"[servers]\na = \"127.0.0.1\"\n",
              "2:5: servers.a: expected a table, found the text \"127.0.0.1\""},
             {"[servers]\n\"a/b\" = {}\n",
              "2:1: a server's name has 1 to 63 letters, digits, \".\", \"_\" or \"-\", begins with a letter "
              "or digit "
              "and is not \"up\"; found \"a/b\""},
             {"[servers]\nup = {}\n",
              "2:1: a server's name has 1 to 63 letters, digits, \".\", \"_\" or \"-\", begins with a letter "
              "or digit "
              "and is not \"up\"; found \"up\""},
             {"[servers]\na = { address = \"10.0.0.1:80\" }\n",
              "2:17: servers.a.address: expected an address such as \"10.0.0.1\", found \"10.0.0.1:80\": "
              "write it "
              "without the port"},
             {"[servers]\na = { address = \"lb.foobar.com\" }\n",
              "2:17: servers.a.address: expected an address such as \"10.0.0.1\", found \"lb.foobar.com\": "
              "names are "
              "not looked up, write the IPv4 or IPv6 address"},
             {"[servers]\na = { address = \"0.0.0.0\" }\n",
              "2:17: servers.a.address: expected an address such as \"10.0.0.1\", found \"0.0.0.0\", which "
              "is not one "
              "address of one server"},
             {"[servers]\na = { adress = \"10.0.0.1\" }\n",
              "2:7: unknown key \"adress\" in [servers.a]; did you mean \"address\"?"},
             {"[servers]\na = { roles = \"balancer\" }\n",
              "2:15: servers.a.roles: expected a list of roles such as [\"balancer\"], found the text "
              "\"balancer\""},
             {"[servers]\na = { roles = [] }\n",
              "2:15: servers.a.roles: expected a list of roles such as [\"balancer\"], found none"},
             {"[servers]\na = { roles = [\"balancr\"] }\n",
              "2:16: unknown role \"balancr\"; did you mean \"balancer\"?"},
             {"[servers]\na = { roles = [\"cache\"] }\n",
              "2:16: unknown role \"cache\"; known roles: balancer, web, app, database, router"},
             {"[servers]\na = { roles = [\"balancer\", \"database\"] }\n",
              "2:1: a server has the role \"database\", but there is no [database]: write it with name = "
              "\"foobar\", the schema that the site's program uses"},
             {"[servers]\na = { roles = [\"web\"], weight = 257 }\n",
              "2:33: servers.a.weight: expected an integer from 0 to 256, found the integer 257"},
             {"[servers]\na = { weight = 5 }\n",
              "2:16: servers.a.weight: is a server's share of the pool \"web\" or \"app\", and this one has "
              "neither role; the weight of another backend is written in [pools.NAME] backends"},
             {"[servers]\na = { address = \"10.0.0.1\", roles = [\"balancer\"] }\nb = { roles = "
              "[\"balancer\"] }\n",
              "3:1: server \"b\": address is missing (only a single server may leave it out)"},
             {"[servers]\na = { address = \"10.0.0.1\" }\nb = { address = \"10.0.0.2\", roles = "
              "[\"balancer\"] }\n",
              "2:1: server \"a\": roles is missing (only a single server may leave it out)"},
             {"[servers]\na = { address = \"10.0.0.1\", roles = [\"balancer\"] }\n"
              "b = { address = \"10.0.0.1\", roles = [\"balancer\"] }\n",
              "3:1: server \"b\" has the address 10.0.0.1 of server \"a\"; each has its own (127.0.0.2 is on "
              "this "
              "machine, too)"},
         }) {
        std::string text = std::string(bad.text) + std::string(kPool);
        CAPTURE(text);
        CHECK(refusals(text) == bad.refusal);
    }
}

TEST_CASE("a wrong admin listener is refused") {
    for (const BadFile& bad : std::initializer_list<BadFile>{
             {"[admin]\n", "3:1: [admin]: listen is missing; write listen = \"http://127.0.0.1:9180\""},
             {"admin.listen = [\"http://127.0.0.1:9180\"]\n",
              "3:16: admin.listen: expected one text such as \"http://127.0.0.1:9180\", found a list"},
             {"[admin]\nlisten = \"https://127.0.0.1:9180\"\n",
              "4:10: admin.listen: https: TLS is not supported by this version; write http://"},
             {"[admin]\nlisten = \"http://127.0.0.1:9180\"\nport = 1\n",
              "5:1: unknown key \"port\" in [admin]; known keys: listen"},
             {"[admin]\nlisten = \"http://127.0.0.1:8080\"\n",
              "4:10: admin.listen: \"http://127.0.0.1:8080\" is where the balancer listens "
              "(\"http://127.0.0.1:8080\")"},
             {"[admin]\nlisten = \"http://*:8080\"\n",
              "4:10: admin.listen: \"http://*:8080\" is where the balancer listens "
              "(\"http://127.0.0.1:8080\")"},
         }) {
        std::string text = bad.text.starts_with('[') ? std::string(kPool) + std::string(bad.text)
                                                     : "\n\n" + std::string(bad.text) + std::string(kPool);
        CAPTURE(text);
        CHECK(refusals(text) == bad.refusal);
    }
}

TEST_CASE("a free port of the admin listener is nobody else's") {
    std::string text = "balancer.listen = \"http://127.0.0.1:0\"\nadmin.listen = \"http://127.0.0.1:0\"\n";
    CHECK(good(text + std::string(kPool)).admin_listen->port() == 0);
}

}  // namespace node
