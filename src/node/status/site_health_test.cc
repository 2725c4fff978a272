// When a site is whole, and what is said to be missing.
#include "node/status/site_health.h"

#include <functional>

#include <doctest/doctest.h>

#include "node/config/cases.h"
#include "node/status/whole_site.h"

namespace node {

namespace {

// The tiers and sentences that are missing once `change` was made to a whole site.
std::string missing_after(const std::function<void(SiteView&)>& change) {
    SiteView view = whole_site();
    change(view);
    std::string all;
    for (const MissingPart& part : missing_parts(view, good(kDrillSite))) {
        all += (all.empty() ? "" : "; ") + part.tier + ": " + part.sentence;
    }
    return all;
}

}  // namespace

TEST_CASE("a whole site misses nothing") {
    CHECK(missing_after([](SiteView&) {}).empty());
    CHECK(missing_after([](SiteView& view) { view.up.reset(); }).empty());
}

TEST_CASE("servers that do not run, do not answer, are not ready or are ending are missing") {
    CHECK(missing_after([](SiteView& view) {
        view.up->servers[0].pid = 0;
    }) == "servers: lb1: it does not run");
    CHECK(missing_after([](SiteView& view) {
        view.servers.erase(view.servers.begin());
    }) == "servers: lb1: it does not answer");
    CHECK(missing_after([](SiteView& view) {
        view.up->servers[1].is_ready = false;
    }) == "servers: web1: it is not ready");
    CHECK(missing_after([](SiteView& view) {
        view.servers[2].is_draining = true;
    }) == "servers: web2: it is ending");
    CHECK(missing_after([](SiteView& view) { view = {}; }).starts_with("servers: no server answers"));
}

TEST_CASE("a backend that is not up is missing from the tier that sends to it") {
    CHECK(missing_after([](SiteView& view) {
        view.servers[0].pools[0].backends[1].state = "down";
    }) == "balancer: lb1: web/web2 is down");
    CHECK(missing_after([](SiteView& view) {
        view.servers[1].pools[0].backends[0].state = "checking";
    }) == "web: web1: app/app-1 is checking");
}

TEST_CASE("an instance that is not up is missing, and so is one without a process") {
    CHECK(missing_after([](SiteView& view) {
        view.servers[1].app->instances[0].state = "waiting";
    }) == "app: web1: app-1 is waiting");
    CHECK(missing_after([](SiteView& view) {
        view.servers[1].app->instances[0].pid = 0;
    }) == "app: web1: app-1 is up");
    CHECK(missing_after([](SiteView& view) {
        view.servers[1].app->restart.is_running = true;
    }) == "app: web1: a restart runs");
}

TEST_CASE("a router without a primary, or with a replica that gets no reads, misses it") {
    CHECK(missing_after([](SiteView& view) {
        view.servers[1].router->nodes[0].state = "unreachable";
    }) == "sql router: web1: web1 is unreachable and gets no reads; sql router: web1: it sees no primary");
    CHECK(missing_after([](SiteView& view) {
        view.servers[2].router->nodes[1].is_fit = false;
    }) == "sql router: web2: web2 is replica and gets no reads");
}

TEST_CASE("databases miss a leader, a server, an acknowledgement, an open gate, what they promise") {
    auto leader = [](SiteView& view) -> DatabaseStatus& { return *view.servers[1].database; };
    CHECK(missing_after([&](SiteView& view) {
        leader(view).leads = false;
    }) == "database: no server leads the databases");
    CHECK(missing_after([&](SiteView& view) {
        leader(view).servers[1].answers = false;
    }) == "database: web2: its database does not answer");
    CHECK(missing_after([&](SiteView& view) {
        leader(view).servers[0].is_read_only = true;
    }) == "database: web1: the primary takes no writes");
    CHECK(missing_after([&](SiteView& view) {
        leader(view).servers[1].acknowledges = false;
    }) == "database: web2: its database does not acknowledge");
    CHECK(missing_after([&](SiteView& view) {
        leader(view).servers[1].standing = "former";
    }) == "database: web2: its database is former");
    CHECK(missing_after([&](SiteView& view) { leader(view).gate = "held"; }) == "database: the gate is held");
    CHECK(missing_after([&](SiteView& view) {
        leader(view).durability = "async";
    }) == "database: writes are acknowledged by the primary alone");
    CHECK(missing_after([&](SiteView& view) {
        view.servers[2].database->agent->state = "preparing";
    }) == "database: web2: mariadbd is preparing");
}

}  // namespace node
