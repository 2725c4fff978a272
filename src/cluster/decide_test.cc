// Single decisions: when a primary is ended, and when it is left alone.
#include "cluster/decide.h"

#include <doctest/doctest.h>

namespace cluster {
namespace {

using namespace std::chrono_literals;
using upstream::Durability;
using upstream::Standing;
using upstream::Topology;

TEST_CASE("a primary whose recovery takes long is not killed for being mute, nor for having been down") {
    Topology topology{.version = 1, .epoch = 1, .primary = "db1"};
    topology.set_standing("db1", Standing::primary);
    Policy policy;
    View down{.server = "db1", .has_ended = true};
    View recovering{.server = "db1", .silent_for = 60s, .is_starting = true, .why = "refused"};
    View mute{.server = "db1", .silent_for = 60s, .why = "timed out"};
    CHECK(decide(policy, topology, {.views = {down}}).steps.empty());
    CHECK(decide(policy, topology, {.views = {recovering}}).steps.empty());
    auto steps = decide(policy, topology, {.views = {mute}}).steps;
    REQUIRE(steps.size() == 1);
    CHECK(steps[0].action == Action::fence);
}

TEST_CASE("a primary whose writes wait for lost acknowledgements is nudged, and then replaced") {
    mysql::GtidPosition position;
    REQUIRE(position.merge({.domain = 0, .server = 1, .sequence = 100}));
    Topology topology{.version = 1, .epoch = 1, .primary = "db1"};
    topology.set_standing("db1", Standing::primary);
    topology.set_standing("db2", Standing::acker);
    Sight head{.is_read_only = false, .written = position, .is_armed = true, .ackers = 1, .parked = 2};
    Sight acker{
        .applied = position,
        .has_source = true,
        .source = "db1",
        .receiver = Thread::running,
        .applier = Thread::running,
        .received = position,
        .acknowledges = true,
    };
    auto steps_after = [&](core::Duration parked) {
        Observation seen{
            .views =
                {
                    {.server = "db1", .sight = head, .answering_for = 10s, .parked_for = parked},
                    {.server = "db2", .sight = acker, .answering_for = 10s, .is_proven = true},
                }
        };
        return decide(Policy{}, topology, seen).steps;
    };
    CHECK(steps_after(0ms).empty());
    REQUIRE(steps_after(500ms).size() == 1);
    CHECK(steps_after(500ms)[0].action == Action::nudge);
    REQUIRE(steps_after(5s).size() == 1);
    CHECK(steps_after(5s)[0].action == Action::fence);
    CHECK(steps_after(5s)[0].server == "db1");
    // What the acker has not received it may yet acknowledge; what nobody else has would be lost.
    acker.received = {};
    CHECK(steps_after(5s)[0].action == Action::nudge);
    acker.received = position;
    topology.durability = Durability::async;
    CHECK(steps_after(5s)[0].action != Action::fence);
}

}  // namespace
}  // namespace cluster
