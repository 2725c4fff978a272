#include "cluster/election.h"

#include <algorithm>
#include <format>

#include "core/panic.h"

namespace cluster {

using core::ErrorKind;
using core::fail;
using upstream::Durability;
using upstream::Standing;
using upstream::Topology;

namespace {

// Where a loss is accepted: whoever answers, and is not known to have another history.
bool may_be_taken(const Topology& topology, const View& view) {
    Standing standing = topology.standing_of(view.server);
    return view.sight && view.server != topology.primary && standing != Standing::diverged &&
           standing != Standing::renewing;
}

core::Result<const View*> find_wanted(
    const std::vector<const View*>& candidates,
    const Observation& seen,
    const Order& order
) {
    const View* wanted = seen.find(order.server);
    if (wanted == nullptr) {
        return fail(ErrorKind::not_found, unknown_server(seen, order.server));
    }
    if (!std::ranges::contains(candidates, wanted)) {
        return fail(
            ErrorKind::conflict,
            std::format(
                "{} cannot take over: {}",
                wanted->server,
                wanted->sight ? "it does not replicate as it should" : "it does not answer: " + wanted->why
            )
        );
    }
    const View& most = most_advanced(candidates);
    if (!order.accepts_loss && !wanted->sight->received.covers(most.sight->received)) {
        return fail(
            ErrorKind::conflict,
            std::format(
                "{} has received less than {}: leave out --to, and move the primary afterwards (trilith "
                "switchover)",
                wanted->server,
                most.server
            )
        );
    }
    return wanted;
}

}  // namespace

std::string why_no_failover(const Topology& topology, const Observation& seen) {
    if (topology.epoch == 0) {
        return "there was no primary yet";
    }
    if (topology.durability == Durability::async) {
        return "acknowledged writes may be on the primary alone (async)";
    }
    std::vector<std::string> ackers = topology.with_standing(Standing::acker);
    if (ackers.empty()) {
        return "no replica acknowledges";
    }
    for (const std::string& acker : ackers) {
        const View* view = seen.find(acker);
        if (view == nullptr || !view->sight) {
            return std::format("{} may have acknowledged writes, and does not answer", acker);
        }
        const Sight& sight = *view->sight;
        if (sight.applier == Thread::stopped) {
            return std::format(
                "{} does not apply what it received{}",
                acker,
                sight.error.empty() ? "" : ": " + sight.error
            );
        }
        if (sight.source != topology.primary) {
            return std::format("{} does not replicate from {} yet", acker, topology.primary);
        }
    }
    auto floor = mysql::GtidPosition::read(topology.floor);
    bool has_all = floor && std::ranges::any_of(ackers, [&](const std::string& acker) {
        return seen.find(acker)->sight->received.covers(*floor);
    });
    return has_all ? "" : "no acker has received yet all that was acknowledged before it was one";
}

// All ackers; and what followed the primary without acknowledging, for it may have received what nobody has
// acknowledged: put behind an acker it would have diverged.
std::vector<const View*> candidates_of(
    const Topology& topology,
    const Observation& seen,
    const Order* order
) {
    std::vector<const View*> candidates;
    for (const View& view : seen.views) {
        if (order != nullptr && order->accepts_loss) {
            if (may_be_taken(topology, view)) {
                candidates.push_back(&view);
            }
            continue;
        }
        bool is_follower = view.sight && view.is_proven && view.sight->source == topology.primary &&
                           view.sight->applier != Thread::stopped && view.sight->applier_error == 0;
        if (topology.standing_of(view.server) == Standing::acker || is_follower) {
            candidates.push_back(&view);
        }
    }
    return candidates;
}

const View& most_advanced(const std::vector<const View*>& candidates) {
    ASSERT(!candidates.empty());
    const View* best = candidates.front();
    for (const View* candidate : candidates) {
        if (!best->sight->received.covers(candidate->sight->received)) {
            best = candidate;
        }
    }
    return *best;
}

core::Result<OrderPlan> plan_failover(const Topology& topology, const Observation& seen, const Order& order) {
    const View* primary = seen.find(topology.primary);
    if (topology.epoch == 0 || primary == nullptr) {
        return fail(ErrorKind::conflict, "there was no primary yet");
    }
    if (order.server == topology.primary) {
        return fail(ErrorKind::invalid, order.server + " is the primary already");
    }
    if (primary->sight) {
        return fail(
            ErrorKind::conflict,
            std::format("the primary {} answers: trilith switchover moves it without a loss", primary->server)
        );
    }
    std::string why = why_no_failover(topology, seen);
    if (!why.empty() && !order.accepts_loss) {
        return fail(
            ErrorKind::conflict,
            why + ": bring " + topology.primary + " back, or order it with --accept-loss"
        );
    }
    std::vector<const View*> candidates = candidates_of(topology, seen, &order);
    if (candidates.empty()) {
        return fail(ErrorKind::conflict, "no other server answers");
    }
    const View* chosen = &most_advanced(candidates);
    if (!order.server.empty()) {
        TRY(chosen, find_wanted(candidates, seen, order));
    }
    std::string has;
    chosen->sight->received.append_to(has);
    OrderPlan plan{
        .server = chosen->server,
        .sentences =
            {
                std::format("the mariadbd of {} is ended, and kept ended meanwhile", topology.primary),
                "the replicas receive nothing more",
                std::format("{} applies all that it has received ({})", chosen->server, has),
                std::format("{} is primary from epoch {} on", chosen->server, topology.epoch + 1),
            },
    };
    if (!why.empty()) {
        plan.sentences.push_back(std::format(
            "what only {} has acknowledged is not there any more ({}); if its data come back, trilith rejoin "
            "{} tells of them",
            topology.primary,
            why,
            topology.primary
        ));
    }
    return plan;
}

}  // namespace cluster
