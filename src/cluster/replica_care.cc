#include "cluster/replica_care.h"

#include <algorithm>
#include <format>

#include "core/panic.h"

namespace cluster {

using upstream::Durability;
using upstream::Gate;
using upstream::Standing;
using upstream::Topology;

namespace {

// ER_MASTER_FATAL_ERROR_READING_BINLOG and ER_GTID_STRICT_OUT_OF_ORDER: the source has not what the replica
// has.
constexpr uint32_t kErrorNotInBinlog = 1236;
constexpr uint32_t kErrorOutOfOrder = 1950;

// How many transactions of the first domain `behind` lacks of `ahead`.
uint64_t lacks(const mysql::GtidPosition& ahead, const mysql::GtidPosition& behind) {
    uint64_t most = 0;
    for (const mysql::Gtid& gtid : ahead.gtids()) {
        uint64_t has = 0;
        for (const mysql::Gtid& other : behind.gtids()) {
            has = other.domain == gtid.domain ? other.sequence : has;
        }
        most = std::max(most, gtid.sequence > has ? gtid.sequence - has : 0);
    }
    return most;
}

bool is_not_in_binlog(const Sight& sight) { return sight.receiver_error == kErrorNotInBinlog; }

class Care {
public:
    Care(const Policy& policy, const Topology& topology, const Observation& seen)
        : policy_(policy), topology_(topology), seen_(seen), primary_(*seen.find(topology.primary)) {
        ASSERT(primary_.sight.has_value());
    }

    Decision decide();

private:
    [[nodiscard]] const Sight& head() const { return *primary_.sight; }
    [[nodiscard]] bool is_lost_acker(const View& view) const;
    [[nodiscard]] bool is_good_acker(const View& view) const;
    [[nodiscard]] bool follows(const Sight& sight) const {
        return sight.replicates() && sight.source == topology_.primary;
    }
    [[nodiscard]] bool has_little_backlog(const Sight& sight) const {
        return lacks(head().written, sight.received) <= policy_.backlog_max;
    }

    bool end_strangers();
    bool take_office();
    bool drop_lost_ackers();
    bool settle_loneliness();
    bool keep_promise();
    bool tend(const View& view);
    bool tend_acker(const View& view);
    bool tend_bystander(const View& view);
    bool tend_diverged(const View& view);
    bool tend_renewing(const View& view);
    bool open_office();
    void describe();

    bool step(Action action, const std::string& server, const std::string& sentence);
    bool step(Step step, const std::string& sentence);
    bool commit(const std::string& server, Topology next, const std::string& sentence);

    const Policy& policy_;
    const Topology& topology_;
    const Observation& seen_;
    const View& primary_;
    Decision decision_;
};

bool Care::step(Step step, const std::string& sentence) {
    step.epoch = topology_.epoch;
    decision_.steps.push_back(std::move(step));
    decision_.sentence += (decision_.sentence.empty() ? "" : "; ") + sentence;
    return true;
}

bool Care::step(Action action, const std::string& server, const std::string& sentence) {
    return step({.action = action, .server = server, .other = topology_.primary, .next = {}}, sentence);
}

bool Care::commit(const std::string& server, Topology next, const std::string& sentence) {
    return step({.action = Action::commit, .server = server, .next = std::move(next)}, sentence);
}

// Only the primary may take writes.
bool Care::end_strangers() {
    for (const View& view : seen_.views) {
        bool is_writable = view.sight && !view.sight->is_read_only && &view != &primary_;
        if (is_writable) {
            return step(
                Action::fence,
                view.server,
                std::format("{} takes writes, and {} is primary: it is ended", view.server, topology_.primary)
            );
        }
    }
    return false;
}

bool Care::take_office() {
    const std::string& name = topology_.primary;
    if (head().has_source) {
        return step(
            {.action = Action::promote, .server = name, .next = topology_},
            std::format("{} is promoted for epoch {}", name, topology_.epoch)
        );
    }
    bool wants_armed = topology_.durability == Durability::lossless;
    if (head().is_armed != wants_armed) {
        return step(
            wants_armed ? Action::arm : Action::disarm,
            name,
            wants_armed ? name + " waits for acknowledgements" : name + " goes on without acknowledgements"
        );
    }
    return false;
}

// It may have lost what it received, or cannot be asked.
bool Care::is_lost_acker(const View& view) const {
    if (!view.sight) {
        return view.has_ended || view.silent_for >= policy_.silence_max;
    }
    const Sight& sight = *view.sight;
    return view.stopped_for >= policy_.stopped_max || sight.applier_error != 0 ||
           sight.receiver_error == kErrorNotInBinlog;
}

bool Care::is_good_acker(const View& view) const {
    return view.sight && follows(*view.sight) && view.sight->receiver == Thread::running &&
           view.sight->acknowledges;
}

// One that is missing must not be counted on, nor come back by itself and acknowledge: so one that is only
// mute is ended first. Before it is taken off the list another is shown to have all that it may have
// acknowledged alone.
bool Care::drop_lost_ackers() {
    Topology next = topology_;
    std::string lost;
    const View* witness = nullptr;
    for (const View& view : seen_.views) {
        if (topology_.standing_of(view.server) != Standing::acker) {
            continue;
        }
        if (!is_lost_acker(view)) {
            witness = is_good_acker(view) ? &view : witness;
            continue;
        }
        // One that starts replicates from nobody until it is told to.
        if (!view.sight && !view.has_ended && !view.is_starting) {
            return step(Action::fence, view.server, view.server + " is mute: it is ended and started again");
        }
        lost += (lost.empty() ? "" : ", ") + view.server;
        next.set_standing(view.server, Standing::bystander);
    }
    if (lost.empty()) {
        return false;
    }
    if (witness != nullptr) {
        return step(
            {.action = Action::drop, .server = lost, .other = witness->server, .next = std::move(next)},
            std::format("{} is not counted on; {} has all that it acknowledged", lost, witness->server)
        );
    }
    bool has_others = !next.with_standing(Standing::acker).empty();
    if (has_others) {
        return false;  // those that are left attach first, or are lost, too
    }
    if (policy_.alone == Alone::async && !head().is_read_only) {
        next.durability = Durability::async;
    }
    return commit(lost, std::move(next), lost + " is not counted on, and it was the last that acknowledged");
}

// Without anybody who acknowledges, writes wait; `alone` says for how long.
bool Care::settle_loneliness() {
    bool is_lonely = topology_.durability == Durability::lossless && policy_.alone == Alone::async &&
                     topology_.with_standing(Standing::acker).empty();
    if (!is_lonely) {
        return false;
    }
    bool may_have_company = head().is_read_only && primary_.answering_for < policy_.company_within &&
                            std::ranges::any_of(seen_.views, [&](const View& view) {
        Standing standing = topology_.standing_of(view.server);
        return &view != &primary_ && standing != Standing::diverged && standing != Standing::renewing;
    });
    if (may_have_company) {
        return false;
    }
    Topology next = topology_;
    next.durability = Durability::async;
    return commit(
        topology_.primary,
        std::move(next),
        topology_.primary + " is alone: writes are acknowledged by it alone from now on (async)"
    );
}

bool Care::keep_promise() {
    if (head().is_read_only || topology_.durability == policy_.durability ||
        policy_.durability != Durability::lossless) {
        return false;
    }
    for (const View& view : seen_.views) {
        bool is_ready = topology_.standing_of(view.server) == Standing::acker && is_good_acker(view) &&
                        has_little_backlog(*view.sight);
        if (is_ready) {
            Topology next = topology_;
            next.durability = Durability::lossless;
            return step(
                {.action = Action::regain,
                 .server = topology_.primary,
                 .other = view.server,
                 .next = std::move(next)},
                view.server + " has caught up: no write is acknowledged without a replica any more (lossless)"
            );
        }
    }
    return false;
}

bool Care::tend_acker(const View& view) {
    const Sight& sight = *view.sight;
    if (is_lost_acker(view)) {
        return false;  // another has to attach first
    }
    if (sight.applier == Thread::stopped) {
        return false;  // it may be starting
    }
    if (sight.source != topology_.primary) {
        bool is_covered = head().written.covers(sight.received);
        return is_covered &&
               step(Action::follow_as_acker, view.server, view.server + " follows the new primary");
    }
    if (sight.receiver == Thread::stopped) {
        return step(Action::start_receiver, view.server, view.server + " receives again");
    }
    if (!sight.acknowledges) {
        return step(Action::attach, view.server, view.server + " acknowledges from now on");
    }
    return false;
}

bool Care::tend_bystander(const View& view) {
    const Sight& sight = *view.sight;
    bool is_from_primary = sight.has_source && sight.source == topology_.primary;
    bool is_refused = is_from_primary &&
                      (sight.receiver_error == kErrorNotInBinlog || sight.applier_error == kErrorOutOfOrder);
    if (is_refused) {
        Topology next = topology_;
        next.set_standing(view.server, Standing::diverged);
        return commit(
            view.server,
            std::move(next),
            std::format(
                "{} {}, and is left alone: {}",
                view.server,
                is_too_far_behind(sight) ? "needs what " + topology_.primary + " has no more"
                                         : "has what " + topology_.primary + " has not",
                sight.error
            )
        );
    }
    bool has_stopped = sight.is_idle() && sight.applier_error == 0 && view.stopped_for >= policy_.stopped_max;
    if (!is_from_primary || has_stopped) {
        return step(
            Action::follow,
            view.server,
            std::format("{} follows {}", view.server, topology_.primary)
        );
    }
    bool is_ready =
        view.is_proven && follows(sight) && sight.receiver == Thread::running && has_little_backlog(sight);
    if (!is_ready || policy_.durability == Durability::async) {
        return false;
    }
    Topology next = topology_;
    next.set_standing(view.server, Standing::acker);
    next.floor.clear();
    head().written.append_to(next.floor);
    return commit(view.server, std::move(next), view.server + " may acknowledge");
}

bool Care::tend_diverged(const View& view) {
    bool is_saved = view.extra.empty() || view.is_set_aside;
    if (policy_.rejoin != Rejoin::automatic || !is_saved) {
        return false;
    }
    Topology next = topology_;
    next.renew(view.server);
    return commit(
        view.server,
        std::move(next),
        std::format("the data of {} are put aside, and those of {} copied", view.server, topology_.primary)
    );
}

bool Care::tend_renewing(const View& view) {
    if (view.renewal != topology_.renewal_of(view.server)) {
        return false;  // its agent is at it
    }
    Topology next = topology_;
    next.set_standing(view.server, Standing::bystander);
    return commit(view.server, std::move(next), view.server + " has a copy of the data, and follows");
}

bool Care::tend(const View& view) {
    if (!view.sight || &view == &primary_) {
        return false;
    }
    switch (topology_.standing_of(view.server)) {
        case Standing::acker: return tend_acker(view);
        case Standing::diverged: return tend_diverged(view);
        case Standing::renewing: return tend_renewing(view);
        default: return tend_bystander(view);
    }
}

// Writes that would wait for a replica are not let in before there is one.
bool Care::open_office() {
    if (!head().is_read_only) {
        return false;
    }
    bool can_acknowledge = topology_.durability == Durability::async || head().ackers > 0;
    return can_acknowledge && step(Action::open, topology_.primary, topology_.primary + " takes writes");
}

void Care::describe() {
    const std::string& name = topology_.primary;
    if (head().is_read_only) {
        decision_.sentence = name + " takes no writes yet: no replica acknowledges them";
    } else if (topology_.durability == Durability::async && policy_.durability == Durability::lossless) {
        decision_.sentence = name + " takes writes, and acknowledges them alone (async)";
    } else {
        decision_.sentence = name + " takes writes";
    }
}

Decision Care::decide() {
    if (end_strangers() || take_office()) {
        return std::move(decision_);
    }
    if (drop_lost_ackers() || settle_loneliness()) {
        return std::move(decision_);
    }
    if (keep_promise()) {
        return std::move(decision_);
    }
    if (primary_.parked_for >= policy_.parked_max) {
        step(Action::nudge, topology_.primary, "writes wait for an acknowledgement that was lost");
    }
    for (const View& view : seen_.views) {
        bool is_step = tend(view);
        if (is_step && decision_.steps.back().action == Action::commit) {
            decision_.steps.erase(decision_.steps.begin(), decision_.steps.end() - 1);
            return std::move(decision_);
        }
    }
    open_office();
    if (decision_.steps.empty()) {
        describe();
    }
    return std::move(decision_);
}

}  // namespace

bool is_too_far_behind(const Sight& sight) {
    return is_not_in_binlog(sight) && sight.error.contains("purged");
}

Decision care_for_replicas(const Policy& policy, const Topology& topology, const Observation& seen) {
    return Care(policy, topology, seen).decide();
}

}  // namespace cluster
