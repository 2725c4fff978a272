#include "cluster/decide.h"

#include <algorithm>
#include <array>
#include <format>

#include "cluster/replica_care.h"
#include "core/panic.h"

namespace cluster {

using upstream::Durability;
using upstream::Gate;
using upstream::Standing;
using upstream::Topology;

namespace {

constexpr core::Duration kReplaceTime = std::chrono::milliseconds(1500);
constexpr core::Duration kFirstRestartPause = std::chrono::milliseconds(50);
constexpr core::Duration kLongestRestartPause = std::chrono::seconds(10);
// Of one that writes wait for: the primary, and who has to be heard before another takes its place.
constexpr core::Duration kLongestNeededPause = std::chrono::seconds(2);
constexpr core::Duration kBootstrapPatience = std::chrono::seconds(10);

std::string in_milliseconds(core::Duration duration) {
    return std::format("{} ms", std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

// Who may be the first primary: the configured one where all are empty, else whoever has most of what was
// written by a cluster whose record is lost.
struct First {
    std::string server;
    std::string why_none;
};

First choose_first(const Policy& policy, const Observation& seen) {
    const View* most = nullptr;
    std::string mute;
    for (const View& view : seen.views) {
        if (!view.sight) {
            mute += (mute.empty() ? "" : ", ") + view.server;
        } else if (!view.sight->written.is_empty() &&
                   (most == nullptr || !most->sight->written.covers(view.sight->written))) {
            most = &view;
        }
    }
    if (!mute.empty() && (most != nullptr || seen.led_for < kBootstrapPatience)) {
        return {
            .server = {},
            .why_none = "no primary was ever recorded, and not all servers answer: " + mute
        };
    }
    const View* first = most != nullptr ? most : seen.find(policy.first_primary);
    if (first == nullptr || !first->sight) {
        return {.server = {}, .why_none = "the first primary, " + policy.first_primary + ", does not answer"};
    }
    return {.server = first->server, .why_none = {}};
}

Decision begin_cluster(const Policy& policy, const Topology& topology, const Observation& seen) {
    First first = choose_first(policy, seen);
    if (first.server.empty()) {
        return {.sentence = first.why_none, .no_failover = first.why_none};
    }
    Topology next = topology;
    next.epoch = 1;
    next.primary = first.server;
    next.durability = policy.durability;
    for (const View& view : seen.views) {
        next.set_standing(view.server, Standing::bystander);
    }
    next.set_standing(first.server, Standing::primary);
    return {
        .steps = {{.action = Action::commit, .server = first.server, .epoch = 0, .next = std::move(next)}},
        .sentence = first.server + " is the first primary",
    };
}

// Whoever is not heard, or has more than the chosen one, may have what will be written nowhere else: counted
// on no more. With nothing lost there is no such acker.
void drop_uncovered(Topology& next, const Observation& seen, const mysql::GtidPosition& floor) {
    for (const std::string& acker : next.with_standing(Standing::acker)) {
        const View* view = seen.find(acker);
        if (view == nullptr || !view->sight || !floor.covers(view->sight->received)) {
            next.set_standing(acker, Standing::bystander);
        }
    }
}

Topology after_failover(
    const Policy& policy,
    const Topology& topology,
    const Observation& seen,
    const View& elected
) {
    const std::string& chosen = elected.server;
    Topology next = topology;
    ++next.epoch;
    next.floor.clear();
    elected.sight->applied.append_to(next.floor);
    drop_uncovered(next, seen, elected.sight->applied);
    next.set_standing(topology.primary, Standing::former);
    next.set_standing(chosen, Standing::primary);
    next.primary = chosen;
    next.gate = Gate::open;
    next.move.clear();
    bool is_alone = next.with_standing(Standing::acker).empty();
    next.durability = is_alone && policy.alone == Alone::async ? Durability::async : policy.durability;
    return next;
}

// The primary has ended or hangs, and another server can take its place.
Decision replace_primary(
    const Policy& policy,
    const Topology& topology,
    const Observation& seen,
    const View& primary,
    const Order* order
) {
    Decision decision{.keeps_fence = true};
    std::string reason =
        primary.has_ended ? "has ended" : "was mute for " + in_milliseconds(primary.silent_for);
    bool is_loss_accepted = order != nullptr && order->accepts_loss;
    if (!primary.is_fenced) {
        decision.steps.push_back(
            {.action = Action::fence, .server = topology.primary, .epoch = topology.epoch, .next = {}}
        );
        decision.sentence = std::format("the primary {} {}: it is fenced", topology.primary, reason);
        return decision;
    }
    std::vector<const View*> candidates = candidates_of(topology, seen, order);
    for (const View* candidate : candidates) {
        if (candidate->sight->receiver != Thread::stopped) {
            decision.steps.push_back(
                {.action = Action::stop_receiver,
                 .server = candidate->server,
                 .epoch = topology.epoch,
                 .next = {}}
            );
        }
    }
    if (!decision.steps.empty()) {
        decision.sentence = "the replicas receive nothing more, so that what they have can be compared";
        return decision;
    }
    const View* wanted = order == nullptr ? nullptr : seen.find(order->server);
    const View& chosen = wanted != nullptr ? *wanted : most_advanced(candidates);
    bool is_stuck = is_loss_accepted && chosen.sight->applier == Thread::stopped;
    if (!chosen.sight->applied.covers(chosen.sight->received) && !is_stuck) {
        decision.sentence = chosen.server + " has received most, and applies it";
        return decision;
    }
    Topology next = after_failover(policy, topology, seen, chosen);
    decision.sentence = std::format(
        "{} is primary from epoch {} on: {} {}, and {}",
        chosen.server,
        next.epoch,
        topology.primary,
        reason,
        is_loss_accepted ? "an order takes what that costs" : "it has all that was acknowledged"
    );
    decision.steps.push_back(
        {.action = Action::commit, .server = chosen.server, .epoch = topology.epoch, .next = std::move(next)}
    );
    return decision;
}

Decision without_primary(
    const Policy& policy,
    const Topology& topology,
    const Observation& seen,
    const View& primary
) {
    if (seen.failover && plan_failover(topology, seen, *seen.failover)) {
        return replace_primary(policy, topology, seen, primary, &*seen.failover);
    }
    bool is_lost = primary.has_ended || primary.silent_for >= policy.silence_max;
    if (!is_lost) {
        return {
            .sentence = std::format("the primary {} does not answer: {}", topology.primary, primary.why),
        };
    }
    std::string why = why_no_failover(topology, seen);
    if (why.empty()) {
        return replace_primary(policy, topology, seen, primary, nullptr);
    }
    Decision decision{
        .sentence = std::format("the primary {} is to come back in its place: {}", topology.primary, why),
    };
    // One that recovers answers nobody; killed, it would begin its recovery anew.
    core::Duration patience = primary.is_starting ? policy.start_max : 2 * policy.silence_max;
    bool hangs = !primary.has_ended && primary.silent_for >= patience;
    if (hangs) {
        decision.steps.push_back(
            {.action = Action::fence, .server = topology.primary, .epoch = topology.epoch, .next = {}}
        );
    }
    return decision;
}

// MariaDB has one group of commits wait for its acknowledgement, and one more behind it that is in the binlog
// already. When both were received and their acknowledgements are lost, no further write gets into the
// binlog whose acknowledgement would release them: such a primary is of no use any more.
bool is_jammed(const Policy& policy, const Topology& topology, const Observation& seen, const View& primary) {
    return primary.parked_for >= policy.jammed_max && std::ranges::any_of(seen.views, [&](const View& view) {
        return topology.standing_of(view.server) == Standing::acker && view.sight &&
               view.sight->acknowledges && view.sight->source == topology.primary &&
               view.sight->received.covers(primary.sight->written);
    });
}

// What waits there was received: a failover keeps it.
Decision end_jammed(const Topology& topology) {
    return {
        .steps = {{.action = Action::fence, .server = topology.primary, .epoch = topology.epoch, .next = {}}},
        .sentence = std::format(
            "writes at {} wait for acknowledgements that were lost, and none gets past them: it is fenced",
            topology.primary
        ),
        .keeps_fence = true,
    };
}

}  // namespace

std::string_view action_name(Action action) {
    constexpr std::array<std::string_view, 14> kNames{
        "commit",
        "fence",
        "promote",
        "open",
        "arm",
        "disarm",
        "start_receiver",
        "stop_receiver",
        "follow",
        "follow",
        "attach",
        "drop",
        "regain",
        "nudge"
    };
    return kNames[static_cast<size_t>(action)];
}

Decision decide(const Policy& policy, const Topology& topology, const Observation& seen) {
    if (topology.epoch == 0) {
        return begin_cluster(policy, topology, seen);
    }
    if (!topology.move.empty() || topology.gate == Gate::held) {
        // It is moved in one go: its leader has not come to the end.
        Topology next = topology;
        next.move.clear();
        next.gate = Gate::open;
        return {
            .steps =
                {{.action = Action::commit, .server = topology.primary, .epoch = topology.epoch, .next = next}
                },
            .sentence = std::format("a switchover was broken off: {} is primary", topology.primary),
        };
    }
    const View* primary = seen.find(topology.primary);
    if (primary == nullptr) {
        std::string why = std::format("the primary {} is no server of the configuration", topology.primary);
        return {.sentence = why, .no_failover = why};
    }
    std::string no_failover = why_no_failover(topology, seen);
    Decision decision = !primary->sight ? without_primary(policy, topology, seen, *primary)
                        : no_failover.empty() && is_jammed(policy, topology, seen, *primary)
                            ? end_jammed(topology)
                            : care_for_replicas(policy, topology, seen);
    decision.no_failover = std::move(no_failover);
    return decision;
}

StartRole start_role(const Topology& topology, std::string_view server) {
    return topology.standing_of(server) == Standing::former ? StartRole::takes_back : StartRole::keeps_all;
}

core::Duration restart_pause(const Topology& topology, std::string_view server, uint32_t ends) {
    core::Duration pause = kFirstRestartPause;
    for (uint32_t end = 1; end < ends && pause < kLongestRestartPause; ++end) {
        pause *= 2;
    }
    Standing standing = topology.standing_of(server);
    bool is_needed = standing == Standing::primary || standing == Standing::acker;
    pause = std::min(pause, is_needed ? kLongestNeededPause : kLongestRestartPause);
    bool is_replaceable = topology.primary == server && topology.durability == Durability::lossless &&
                          !topology.with_standing(Standing::acker).empty();
    return is_replaceable ? std::max(pause, kReplaceTime) : pause;
}

}  // namespace cluster
