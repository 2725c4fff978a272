// What of a site's status is called wrong, and what is not.
#include "node/status/site_troubles.h"

#include <doctest/doctest.h>

#include "node/status/sample_shapes.h"

namespace node {

namespace {

std::string first_trouble(const SiteStatus& site) {
    std::vector<std::string> troubles = troubles_of(site);
    return troubles.empty() ? "" : troubles.front();
}

RouterNodeStatus& node_at(SiteStatus& site, size_t server, size_t node) {
    return site.servers.at(server).router->nodes.at(node);
}

}  // namespace

TEST_CASE("nothing is wrong with any shape of the whiteboard that runs") {
    for (const SiteStatus& site :
         {three_servers(), apart(), two_servers(), four_servers(), active_passive()}) {
        CHECK(first_trouble(site) == "");
    }
}

TEST_CASE("a server of this machine that nobody answered for is missed, one of another is not") {
    SiteStatus site = three_servers();
    site.servers.pop_back();
    add_missing(site);
    CHECK(troubles_of(site) == std::vector<std::string>{"web2 does not answer: it does not run"});
    add_missing(site);
    CHECK(site.silent.size() == 1);
    site.silent.clear();
    for (ServerStatus& server : site.servers) {
        server.whiteboard[2].is_local = false;
    }
    add_missing(site);
    CHECK(first_trouble(site) == "");
}

TEST_CASE("a server that died is told once, with what it took along") {
    SiteStatus site = three_servers();
    kill_server(site, "web2");
    std::vector<std::string> troubles = troubles_of(site);
    CHECK(
        troubles ==
        std::vector<std::string>{
            "web2 does not answer: its process is gone",
            "database web2 is unreachable: connect: Connection refused",
        }
    );
}

TEST_CASE("a pool is wrong when nobody takes its requests, not when some are out") {
    SiteStatus site = three_servers();
    PoolStatus& pool = site.servers[0].pools[0];
    pool.backends[0].state = "disabled";
    pool.backends[0].is_in_rotation = false;
    CHECK(first_trouble(site) == "");
    pool.backends[1].state = "down";
    pool.backends[1].is_in_rotation = false;
    CHECK(first_trouble(site) == "lb1: no backend of pool web takes requests");
}

TEST_CASE("a site without a primary, or whose primary a router does not see, is wrong") {
    SiteStatus site = three_servers();
    node_at(site, 2, 0).state = "checking";
    CHECK(first_trouble(site) == "web2: the SQL router sees no primary that takes writes");
    site = three_servers();
    for (size_t at : {size_t{1}, size_t{2}}) {
        site.servers[at].database->epoch = 0;
    }
    CHECK(troubles_of(site) == std::vector<std::string>{"the database cluster has no primary yet"});
    site = three_servers();
    site.servers[1].database->leads = false;
    CHECK(first_trouble(site) == "no server leads the databases");
}

TEST_CASE("replication that is broken, too slow, or impossible is wrong") {
    SiteStatus site = three_servers();
    node_at(site, 1, 1).is_fit = false;
    node_at(site, 1, 1).reason = "lag 7.2s is over 5s";
    CHECK(first_trouble(site) == "database web2 takes no reads: lag 7.2s is over 5s");
    node_at(site, 1, 1).override.admin = "disable";
    CHECK(first_trouble(site) == "");
    site.servers[1].database->servers[1].reason = "Got fatal error 1236";
    CHECK(first_trouble(site) == "web2 does not replicate: Got fatal error 1236");
    site.servers[1].database->servers[1].standing = "diverged";
    CHECK(first_trouble(site) == "the data of web2 went apart: see trilith rejoin");
    site.servers[1].database->servers[1].answers = false;
    CHECK(first_trouble(site) == "mariadbd of web2 does not answer: Got fatal error 1236");
}

TEST_CASE("a mariadbd that does not run, and a server that stops, are told") {
    SiteStatus site = three_servers();
    site.servers[2].database->agent->state = "blocked";
    site.servers[2].database->agent->reason = "the disk is\nfull";
    CHECK(first_trouble(site) == "mariadbd of web2 is blocked: the disk is?full");
    site.servers[0].is_draining = true;
    CHECK(first_trouble(site) == "lb1 is stopping");
}

}  // namespace node
