// Who gets a place, and who a connection, when sessions wait.
#include "sql/node_places.h"

#include <doctest/doctest.h>

#include "runtime/linux_os.h"
#include "sql/server_pool.h"

namespace sql {
namespace {

struct Waits {
    runtime::LinuxOs os{};
    std::unique_ptr<runtime::Reactor> here = *runtime::Reactor::open(os);
    std::unique_ptr<runtime::Reactor> there = *runtime::Reactor::open(os);
    PoolClass alike{};
    PoolClass others{};
    ServerLink link{};
    NodePlaces places{1};
};

}  // namespace

TEST_CASE("a place that comes back is the first session's, on whichever core, and nobody's else") {
    Waits site;
    REQUIRE(site.places.connections.try_take());
    CHECK_FALSE(site.places.is_waited_for());
    auto first = site.places.enter(*site.there, site.alike, NodePlaces::kPatience);
    auto second = site.places.enter(*site.here, site.alike, NodePlaces::kPatience);
    CHECK(site.places.is_waited_for());
    site.places.give_back(*site.here);
    CHECK(site.places.connections.used() == 1);
    CHECK_FALSE(site.places.take_handed(*second).has_place);
    CHECK(site.places.take_handed(*first).has_place);
    CHECK_FALSE(site.places.leave(*first).has_place);
    site.places.give_back(*site.here);
    // Who leaves has to give away what it was handed.
    CHECK(site.places.leave(*second).has_place);
    CHECK_FALSE(site.places.is_waited_for());
    site.places.give_back(*site.here);
    CHECK(site.places.connections.used() == 0);
}

TEST_CASE("under a bound that was lowered no place is passed on") {
    Waits site;
    site.places.connections.set_limit(2);
    REQUIRE(site.places.connections.try_take());
    REQUIRE(site.places.connections.try_take());
    auto waiting = site.places.enter(*site.here, site.alike, NodePlaces::kPatience);
    site.places.connections.set_limit(1);
    site.places.give_back(*site.here);
    CHECK(site.places.connections.used() == 1);
    CHECK_FALSE(site.places.take_handed(*waiting).has_place);
    site.places.give_back(*site.here);
    CHECK(site.places.connections.used() == 1);
    CHECK(site.places.leave(*waiting).has_place);
}

TEST_CASE("a connection goes to the first session of its core and class") {
    Waits site;
    CHECK_FALSE(site.places.hand_over(site.link, site.alike, *site.here));
    auto elsewhere = site.places.enter(*site.there, site.alike, NodePlaces::kPatience);
    auto other = site.places.enter(*site.here, site.others, NodePlaces::kPatience);
    CHECK_FALSE(site.places.hand_over(site.link, site.alike, *site.here));
    auto first = site.places.enter(*site.here, site.alike, NodePlaces::kPatience);
    auto second = site.places.enter(*site.here, site.alike, NodePlaces::kPatience);
    CHECK(site.places.hand_over(site.link, site.alike, *site.here));
    CHECK(site.places.take_handed(*second).link == nullptr);
    CHECK(site.places.take_handed(*first).link == &site.link);
    CHECK(site.places.hand_over(site.link, site.others, *site.here));
    for (const auto& request : {elsewhere, first, second}) {
        CHECK(site.places.leave(*request).link == nullptr);
    }
    CHECK(site.places.leave(*other).link == &site.link);
    CHECK_FALSE(site.places.is_waited_for());
}

TEST_CASE("a place is wanted once a session has waited for its own core's connections, or there are none") {
    Waits site;
    core::Instant now = site.here->now();
    CHECK_FALSE(site.places.is_place_wanted(now));
    auto patient = site.places.enter(*site.here, site.alike, NodePlaces::kPatience);
    CHECK_FALSE(site.places.is_place_wanted(now));
    CHECK(site.places.is_place_wanted(now + NodePlaces::kPatience));
    auto alone = site.places.enter(*site.here, site.others, {});
    CHECK(site.places.is_place_wanted(now));
    static_cast<void>(site.places.leave(*alone));
    CHECK_FALSE(site.places.is_place_wanted(now));
    static_cast<void>(site.places.leave(*patient));
}

}  // namespace sql
