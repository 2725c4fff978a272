// What is ordered of a cluster: when it is done, and with which words it is refused.
#include <doctest/doctest.h>

#include "cluster/decide.h"
#include "cluster/rejoin_plan.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;
using upstream::Durability;
using upstream::Standing;
using upstream::Topology;

mysql::GtidPosition at(uint64_t sequence) {
    mysql::GtidPosition position;
    REQUIRE(position.merge({.domain = 0, .server = 1, .sequence = sequence}));
    return position;
}

View replica(const std::string& name, uint64_t received, uint64_t applied) {
    return {
        .server = name,
        .sight =
            Sight{
                .written = at(applied),
                .applied = at(applied),
                .has_source = true,
                .source = "db1",
                .receiver = Thread::running,
                .applier = Thread::running,
                .received = at(received),
                .acknowledges = true,
            },
        .answering_for = 10s,
        .is_proven = true,
    };
}

View primary_that_answers() {
    return {
        .server = "db1",
        .sight = Sight{.is_read_only = false, .written = at(100), .is_armed = true, .ackers = 2},
        .answering_for = 10s,
    };
}

View primary_that_is_mute() { return {.server = "db1", .silent_for = 1s, .why = "timed out"}; }

// db1 is primary, db2 and db3 acknowledge.
Topology topology() {
    Topology made{.version = 9, .epoch = 4, .primary = "db1"};
    made.set_standing("db1", Standing::primary);
    made.set_standing("db2", Standing::acker);
    made.set_standing("db3", Standing::acker);
    return made;
}

Observation seen(View primary) {
    return {
        .views = {std::move(primary), replica("db2", 100, 100), replica("db3", 98, 97)},
        .led_for = 20s,
    };
}

std::string refusal(const Topology& recorded, const Observation& observed, const Order& order) {
    auto plan = plan_failover(recorded, observed, order);
    return plan ? "" : plan.error().context();
}

TEST_CASE("a failover is refused while the primary answers") {
    Order order{.kind = OrderKind::failover, .accepts_loss = true};
    CHECK(refusal(topology(), seen(primary_that_answers()), order).contains("trilith switchover"));
}

TEST_CASE("an ordered failover takes the one that has most, at once, in the steps of any other") {
    Observation observed = seen(primary_that_is_mute());
    Policy policy;
    CHECK(decide(policy, topology(), observed).steps.empty());  // by itself it waits to be sure
    observed.failover = Order{.kind = OrderKind::failover};
    auto plan = plan_failover(topology(), observed, *observed.failover);
    REQUIRE(plan);
    CHECK(plan->server == "db2");
    Decision decision = decide(policy, topology(), observed);
    REQUIRE(decision.steps.size() == 1);
    CHECK(decision.steps[0].action == Action::fence);
    CHECK(decision.keeps_fence);

    observed.views[0].is_fenced = observed.views[0].has_ended = true;
    decision = decide(policy, topology(), observed);
    REQUIRE(decision.steps.size() == 2);
    CHECK(decision.steps[0].action == Action::stop_receiver);
    observed.views[1].sight->receiver = observed.views[2].sight->receiver = Thread::stopped;
    decision = decide(policy, topology(), observed);
    REQUIRE(decision.steps.size() == 1);
    CHECK(decision.steps[0].action == Action::commit);
    CHECK(decision.steps[0].next->primary == "db2");
    CHECK(decision.steps[0].next->epoch == 5);
    CHECK(decision.steps[0].next->standing_of("db1") == Standing::former);
    CHECK(decision.steps[0].next->standing_of("db3") == Standing::acker);
}

TEST_CASE("another than the one that has most is taken only where a loss is accepted") {
    Observation observed = seen(primary_that_is_mute());
    Order order{.kind = OrderKind::failover, .server = "db3"};
    CHECK(refusal(topology(), observed, order).contains("received less than db2"));
    order.accepts_loss = true;
    observed.failover = order;
    observed.views[0].is_fenced = observed.views[0].has_ended = true;
    observed.views[1].sight->receiver = observed.views[2].sight->receiver = Thread::stopped;
    Policy policy;
    CHECK(decide(policy, topology(), observed).steps.empty());  // db3 applies what it has received
    observed.views[2].sight->applied = at(98);
    Decision decision = decide(policy, topology(), observed);
    REQUIRE(decision.steps.size() == 1);
    CHECK(decision.steps[0].next->primary == "db3");
    CHECK(decision.steps[0].next->standing_of("db2") == Standing::bystander);  // it has more
}

TEST_CASE("what could lose something is refused with the reason and the way out") {
    Order order{.kind = OrderKind::failover};
    Topology recorded = topology();
    recorded.durability = Durability::async;
    std::string why = refusal(recorded, seen(primary_that_is_mute()), order);
    CHECK(why.contains("async"));
    CHECK(why.contains("--accept-loss"));
    Observation observed = seen(primary_that_is_mute());
    observed.views[1] = {.server = "db2", .why = "refused"};
    CHECK(refusal(topology(), observed, order).contains("db2 may have acknowledged writes"));
    order.accepts_loss = true;
    auto plan = plan_failover(topology(), observed, order);
    REQUIRE(plan);
    CHECK(plan->server == "db3");
    CHECK(plan->sentences.back().contains("not there any more"));
    observed.views[2] = {.server = "db3", .why = "refused"};
    CHECK(refusal(topology(), observed, order) == "no other server answers");
    order.server = "db9";
    CHECK(refusal(topology(), seen(primary_that_is_mute()), order).contains("db9"));
}

TEST_CASE("a server that ends again and again waits longer, one that writes wait for never long") {
    Topology recorded = topology();
    recorded.durability = Durability::async;
    CHECK(restart_pause(recorded, "db1", 1) == 50ms);
    CHECK(restart_pause(recorded, "db1", 20) == 2s);
    CHECK(restart_pause(recorded, "db2", 20) == 2s);
    recorded.set_standing("db3", Standing::bystander);
    CHECK(restart_pause(recorded, "db3", 4) == 400ms);
    CHECK(restart_pause(recorded, "db3", 20) == 10s);
    recorded.durability = Durability::lossless;
    CHECK(restart_pause(recorded, "db1", 1) == 1500ms);  // another takes its place meanwhile
}

struct Rejoining {
    Topology recorded = topology();
    Observation observed = seen(primary_that_answers());
    Order order{.kind = OrderKind::rejoin, .server = "db3"};

    Rejoining() {
        recorded.set_standing("db3", Standing::diverged);
        observed.views[2].sight->receiver = Thread::stopped;
        observed.views[2].sight->receiver_error = 1236;
    }

    [[nodiscard]] std::string refusal() const {
        auto plan = plan_rejoin(recorded, observed, order);
        return plan ? "" : plan.error().context();
    }
};

TEST_CASE("a replica that is well is not touched") {
    Rejoining rejoining;
    rejoining.order.server = "db2";
    CHECK(rejoining.refusal() == "db2 is a replica, and acknowledges");
    rejoining.order.server = "db1";
    CHECK(rejoining.refusal() == "db1 is the primary");
    rejoining.order.server = "db9";
    CHECK(rejoining.refusal() == "no server of the cluster is named \"db9\"; there are: db1, db2, db3");
    rejoining.order.server = "db3";
    rejoining.recorded.set_standing("db3", Standing::bystander);
    rejoining.observed.views[2].sight->receiver_error = 0;
    CHECK(rejoining.refusal().contains("by itself"));
}

TEST_CASE("one that has nothing extra any more just follows again") {
    Rejoining rejoining;
    auto plan = plan_rejoin(rejoining.recorded, rejoining.observed, rejoining.order);
    REQUIRE(plan);
    CHECK(plan->next.standing_of("db3") == Standing::bystander);
}

TEST_CASE("one whose source has purged what it needs gets a copy, without more words") {
    Rejoining rejoining;
    rejoining.observed.views[2].sight->error = "Could not find GTID state ... have been purged.";
    auto plan = plan_rejoin(rejoining.recorded, rejoining.observed, rejoining.order);
    REQUIRE(plan);
    CHECK(plan->next.renewal_of("db3") == rejoining.recorded.version + 1);
}

TEST_CASE("what a server alone has is saved first, and left behind only by order") {
    Rejoining rejoining;
    rejoining.observed.views[2].extra = {{.last = {.domain = 0, .server = 3, .sequence = 99}}};
    rejoining.order.discards_extra = true;
    CHECK(rejoining.refusal().contains("being written to a file"));
    rejoining.observed.views[2].is_set_aside = true;
    rejoining.order.discards_extra = false;
    CHECK(rejoining.refusal().contains("--discard-extra"));
    rejoining.order.discards_extra = true;
    auto plan = plan_rejoin(rejoining.recorded, rejoining.observed, rejoining.order);
    REQUIRE(plan);
    CHECK(plan->next.standing_of("db3") == Standing::renewing);

    rejoining.observed.views[2].sight.reset();
    rejoining.observed.views[2].extra.clear();
    rejoining.order.discards_extra = false;
    CHECK(rejoining.refusal().contains("does not answer"));
}

TEST_CASE("by the policy it is done without an order, when what it alone has is saved") {
    Rejoining rejoining;
    Policy policy;
    View& apart = rejoining.observed.views[2];
    apart.extra = {{.last = {.domain = 0, .server = 3, .sequence = 99}}};
    CHECK(decide(policy, rejoining.recorded, rejoining.observed).steps.empty());
    policy.rejoin = Rejoin::automatic;
    CHECK(decide(policy, rejoining.recorded, rejoining.observed).steps.empty());
    apart.is_set_aside = true;
    Decision decision = decide(policy, rejoining.recorded, rejoining.observed);
    REQUIRE(decision.steps.size() == 1);
    CHECK(decision.steps[0].next->standing_of("db3") == Standing::renewing);

    Topology renewing = *decision.steps[0].next;
    ++renewing.version;
    CHECK(decide(policy, renewing, rejoining.observed).steps.empty());  // the old data answer still
    apart.renewal = renewing.renewal_of("db3");
    decision = decide(policy, renewing, rejoining.observed);
    REQUIRE(decision.steps.size() == 1);
    CHECK(decision.steps[0].next->standing_of("db3") == Standing::bystander);
}

}  // namespace
}  // namespace cluster
