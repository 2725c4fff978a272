// Which drills a site has, whom they meet, and when that one is replaced.
#include "node/drill/plan.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "node/config/cases.h"
#include "node/status/whole_site.h"

namespace node {

namespace {

std::string names_of(const std::vector<DrillEntry>& entries, bool only_all) {
    std::string names;
    for (const DrillEntry& entry : entries) {
        if (!only_all || entry.single.empty()) {
            names += (names.empty() ? "" : " ") + entry.name;
        }
    }
    return names;
}

DrillTarget target_of(std::string_view name, const SiteView& view) {
    std::vector<DrillEntry> entries = drills_of(good(kDrillSite), view);
    auto entry = std::ranges::find(entries, name, &DrillEntry::name);
    REQUIRE(entry != entries.end());
    auto target = choose_target(*entry, view);
    REQUIRE_MESSAGE(target.has_value(), target.error().context());
    return *target;
}

}  // namespace

TEST_CASE("a site has the drills of what it has, and `all` spares what is the only one of its kind") {
    std::vector<DrillEntry> entries = drills_of(good(kDrillSite), whole_site());
    CHECK(
        names_of(entries, false) == "reload weights drain app primary freeze-primary replica lb1 web1 web2"
    );
    CHECK(names_of(entries, true) == "reload weights drain app primary freeze-primary replica web1 web2");
    auto lb1 = std::ranges::find(entries, "lb1", &DrillEntry::name);
    CHECK(lb1->single == "no other server has the role balancer");
}

TEST_CASE("without databases, with one instance, on one server everything but a reload is the only one") {
    std::vector<DrillEntry> entries =
        drills_of(good("[web]\nroot = \"p\"\n[app]\ncommand = \"a\"\ninstances = 1\n"), {});
    CHECK(names_of(entries, false) == "reload weights drain app local");
    CHECK(names_of(entries, true) == "reload");
}

TEST_CASE("servers that another machine runs have no drill here") {
    SiteView view = whole_site();
    view.up->servers.pop_back();
    CHECK_FALSE(names_of(drills_of(good(kDrillSite), view), false).contains("web2"));
}

TEST_CASE("each drill meets the process that it names") {
    SiteView view = whole_site();
    CHECK(target_of("web2", view).pid == 300);
    CHECK(target_of("primary", view).pid == 202);
    CHECK(target_of("freeze-primary", view).pid == 202);
    CHECK(target_of("replica", view).pid == 302);
    CHECK(target_of("app", view).pid == 201);
    view.servers[1].app->instances[0].pid = 0;
    CHECK(target_of("app", view).pid == 301);
    view.servers[1].database->primary = view.servers[2].database->primary = "web2";
    CHECK(target_of("primary", view).server == "web2");
    CHECK(target_of("reload", view).pid == 0);
}

TEST_CASE("weights and a drain are of a server that others stand in for, a drain of the primary's") {
    SiteView view = whole_site();
    CHECK(target_of("weights", view).server == "web1");
    view.servers[1].database->primary = "web2";
    CHECK(target_of("drain", view).server == "web2");
    CHECK(target_of("weights", view).server == "web1");
    CHECK(is_replaced(target_of("drain", view), view));
    std::vector<DrillEntry> entries = drills_of(good("[web]\nroot = \"p\"\n[app]\ncommand = \"a\"\n"), {});
    CHECK(entries[1].name == "weights");
    CHECK_FALSE(choose_target(entries[1], view));
}

TEST_CASE("what an operator ordered is not taken back by a drill") {
    SiteView view = whole_site();
    std::vector<DrillEntry> entries = drills_of(good(kDrillSite), view);
    view.servers[0].pools[0].backends[0].override.weight = 50;
    auto target = choose_target(entries[1], view);
    REQUIRE_FALSE(target);
    CHECK(target.error().context().ends_with("trilith undo web1"));
    view.servers[0].pools[0].backends[0].override = {};
    view.servers[1].router->nodes[0].override.admin = "drain";
    CHECK_FALSE(choose_target(entries[2], view));
}

TEST_CASE("what is not there cannot be met") {
    SiteView view = whole_site();
    view.servers[1].database->leads = false;
    for (DrillKind kind : {DrillKind::primary, DrillKind::replica}) {
        CHECK_FALSE(choose_target({.name = "n", .kind = kind, .server = {}, .does = {}, .single = {}}, view));
    }
    DrillEntry web1{.name = "web1", .kind = DrillKind::server, .server = "web1", .does = {}, .single = {}};
    CHECK(choose_target(web1, view));
    view.up->servers[1].pid = 0;
    CHECK_FALSE(choose_target(web1, view));
    view.up.reset();
    CHECK_FALSE(choose_target(web1, view));
}

TEST_CASE("a process is replaced by another one, and not by its absence") {
    SiteView view = whole_site();
    DrillTarget web1 = target_of("web1", view);
    DrillTarget primary = target_of("primary", view);
    DrillTarget app = target_of("app", view);
    CHECK_FALSE(is_replaced(web1, view));
    CHECK_FALSE(is_replaced(primary, view));
    CHECK_FALSE(is_replaced(app, view));
    view.up->servers[1].pid = 0;
    view.servers[1].database->agent->pid = 0;
    CHECK_FALSE(is_replaced(web1, view));
    CHECK_FALSE(is_replaced(primary, view));
    view.up->servers[1].pid = 201;
    view.servers[1].database->agent->pid = 999;
    view.servers[1].app->instances[0].pid = 998;
    CHECK(is_replaced(web1, view));
    CHECK(is_replaced(primary, view));
    CHECK(is_replaced(app, view));
    view.servers.clear();
    CHECK_FALSE(is_replaced(primary, view));
}

TEST_CASE("what was stopped is as it was when it goes on, or another has taken its place") {
    SiteView view = whole_site();
    DrillTarget frozen = target_of("freeze-primary", view);
    view.up->frozen = {{"web1", 202, std::chrono::seconds(3)}};
    CHECK_FALSE(is_replaced(frozen, view));
    view.servers[1].database->agent->pid = 999;
    CHECK(is_replaced(frozen, view));
    view.servers[1].database->agent->pid = 202;
    view.up->frozen.clear();
    CHECK(is_replaced(frozen, view));
}

}  // namespace node
