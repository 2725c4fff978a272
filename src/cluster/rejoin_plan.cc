#include "cluster/rejoin_plan.h"

#include <format>

#include "cluster/replica_care.h"

namespace cluster {

using core::ErrorKind;
using core::fail;
using upstream::Standing;
using upstream::Topology;

namespace {

// Its replication has stopped for what another start would meet again.
bool is_broken(const Sight& sight) { return sight.applier_error != 0 || is_too_far_behind(sight); }

// Empty: there is something to be done about it.
std::string why_nothing(const Topology& topology, const View& view, const Order& order) {
    switch (topology.standing_of(view.server)) {
        case Standing::primary: return view.server + " is the primary";
        case Standing::acker: return view.server + " is a replica, and acknowledges";
        case Standing::renewing:
            return "the data of " + view.server + " are being copied: trilith status tells how far";
        case Standing::diverged: return "";
        case Standing::former:
        case Standing::bystander: break;
    }
    if (!view.sight) {
        return order.discards_extra ? ""
                                    : std::format(
                                          "{} does not answer ({}): if it cannot come back, --discard-extra "
                                          "puts its data aside and copies "
                                          "those of {}",
                                          view.server,
                                          view.why,
                                          topology.primary
                                      );
    }
    return !is_broken(*view.sight) ? view.server + " comes back by itself: trilith status tells how far" : "";
}

// Its data may be put aside only when what is in them alone has been saved, or that is ordered.
std::string why_kept(const View& view, const Order& order) {
    if (!view.sight && !order.discards_extra) {
        return std::format(
            "{} does not answer ({}), so what it has is not known: --discard-extra puts its data aside all "
            "the same",
            view.server,
            view.why
        );
    }
    if (!view.extra.empty() && !view.is_set_aside) {
        return std::format(
            "what {} alone has is being written to a file: try again in a moment",
            view.server
        );
    }
    if (!view.extra.empty() && !order.discards_extra) {
        return std::format(
            "{} has what the primary has not, {}: --discard-extra leaves that to the file that trilith "
            "status "
            "names, and to its old data",
            view.server,
            describe_extra(view.extra)
        );
    }
    return "";
}

}  // namespace

core::Result<RejoinPlan> plan_rejoin(const Topology& topology, const Observation& seen, const Order& order) {
    const View* view = seen.find(order.server);
    if (view == nullptr) {
        return fail(ErrorKind::not_found, unknown_server(seen, order.server));
    }
    const View* primary = seen.find(topology.primary);
    if (topology.epoch == 0 || primary == nullptr || !primary->sight) {
        return fail(ErrorKind::conflict, "there is no primary that answers");
    }
    if (std::string why = why_nothing(topology, *view, order); !why.empty()) {
        return fail(ErrorKind::conflict, std::move(why));
    }
    RejoinPlan plan{.plan = {.server = view->server}, .next = topology};
    bool is_good = view->sight && view->extra.empty() && !is_broken(*view->sight);
    if (is_good) {
        plan.next.set_standing(view->server, Standing::bystander);
        plan.plan.sentences = {
            std::format("{} has nothing that {} has not: it follows again", view->server, primary->server)
        };
        return plan;
    }
    if (std::string why = why_kept(*view, order); !why.empty()) {
        return fail(ErrorKind::conflict, std::move(why));
    }
    plan.next.renew(view->server);
    plan.plan.sentences = {
        std::format("the mariadbd of {} ends", view->server),
        std::format(
            "its data are put aside in its directory, as data.aside-{}",
            plan.next.renewal_of(view->server)
        ),
        std::format("the data of {} are copied while it runs", primary->server),
        std::format("{} starts with them, follows, and acknowledges when it has all", view->server),
    };
    return plan;
}

}  // namespace cluster
