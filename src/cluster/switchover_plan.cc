#include "cluster/switchover_plan.h"

#include <algorithm>
#include <format>

namespace cluster {

using core::ErrorKind;
using core::fail;
using upstream::Standing;
using upstream::Topology;

namespace {

uint64_t first_sequence(const mysql::GtidPosition& position) {
    return position.is_empty() ? 0 : position.gtids().front().sequence;
}

// Empty: it can take over.
std::string why_not_target(const Topology& topology, const View& view, const Sight& primary) {
    if (!view.sight) {
        return std::format("{} does not answer: {}", view.server, view.why);
    }
    const Sight& sight = *view.sight;
    bool follows = sight.source == topology.primary && sight.receiver == Thread::running &&
                   sight.applier == Thread::running;
    if (!follows || !view.is_proven) {
        return std::format(
            "{} does not replicate from {}{}",
            view.server,
            topology.primary,
            sight.error.empty() ? " yet: if it began a moment ago, try again" : ": " + sight.error
        );
    }
    bool is_lossless = topology.durability == upstream::Durability::lossless;
    if (is_lossless && topology.standing_of(view.server) != Standing::acker) {
        return std::format("{} does not acknowledge the primary's writes yet", view.server);
    }
    uint64_t written = first_sequence(primary.written);
    uint64_t applied = first_sequence(sight.applied);
    if (written > applied + kSwitchoverLagMax) {
        return std::format(
            "{} lacks {} transactions, more than {}: it has to catch up first",
            view.server,
            written - applied,
            kSwitchoverLagMax
        );
    }
    return "";
}

core::Result<std::string> choose_target(
    const Topology& topology,
    const Observation& seen,
    const Sight& primary
) {
    const View* best = nullptr;
    std::string reasons;
    for (const View& view : seen.views) {
        if (view.server == topology.primary) {
            continue;
        }
        std::string why = why_not_target(topology, view, primary);
        if (!why.empty()) {
            reasons += (reasons.empty() ? "" : "; ") + why;
        } else if (best == nullptr || !best->sight->applied.covers(view.sight->applied)) {
            best = &view;
        }
    }
    if (best == nullptr) {
        return fail(ErrorKind::conflict, reasons.empty() ? "there is no other server" : reasons);
    }
    return best->server;
}

}  // namespace

core::Result<OrderPlan> plan_switchover(
    const Topology& topology,
    const Observation& seen,
    const std::string& wanted
) {
    const View* primary = seen.find(topology.primary);
    if (topology.epoch == 0 || primary == nullptr || !primary->sight || primary->sight->is_read_only) {
        return fail(ErrorKind::conflict, "there is no primary that takes writes");
    }
    OrderPlan plan{.server = wanted};
    if (wanted.empty()) {
        TRY(plan.server, choose_target(topology, seen, *primary->sight));
    }
    const View* target = seen.find(plan.server);
    if (target == nullptr) {
        return fail(ErrorKind::not_found, unknown_server(seen, wanted));
    }
    if (target == primary) {
        return fail(ErrorKind::invalid, plan.server + " is the primary already");
    }
    if (std::string why = why_not_target(topology, *target, *primary->sight); !why.empty()) {
        return fail(ErrorKind::conflict, std::move(why));
    }
    plan.sentences = {
        "the routers hold new work, and what runs at " + topology.primary + " ends",
        topology.primary + " takes no writes any more",
        plan.server + " applies all that was written",
        std::format(
            "{} is primary from epoch {} on, and the others follow it",
            plan.server,
            topology.epoch + 1
        ),
        "the routers go on as soon as a replica acknowledges",
    };
    return plan;
}

}  // namespace cluster
