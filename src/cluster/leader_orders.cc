// The leader's part in what an operator orders: whether it can be done, what becomes of it. And the files in
// which what a server has more than the primary is saved before anything is done to the server.
#include <algorithm>
#include <format>

#include "cluster/leader.h"
#include "cluster/rejoin_plan.h"
#include "cluster/switchover_plan.h"

namespace cluster {

using core::ErrorKind;
using core::fail;
using core::Result;
using runtime::Outcome;
using runtime::Task;
using upstream::Standing;

namespace {

// How long an order waits for a target that is about to be attached; nothing is held meanwhile.
constexpr core::Duration kReadyTime = std::chrono::seconds(5);
// A failover that was ordered has happened by then, or is given up.
constexpr core::Duration kFailoverTime = std::chrono::seconds(30);
constexpr core::Duration kExtraLook = std::chrono::milliseconds(500);
constexpr core::Duration kExtraPause = std::chrono::seconds(5);
constexpr core::Duration kLogsTime = std::chrono::seconds(2);

}  // namespace

Result<OrderPlan> Leader::plan(const Order& order) const {
    if (!store_.leads()) {
        return fail(ErrorKind::conflict, "this server does not lead the database cluster");
    }
    switch (order.kind) {
        case OrderKind::switchover: return plan_switchover(topology_, observe(), order.server);
        case OrderKind::failover: return plan_failover(topology_, observe(), order);
        case OrderKind::rejoin: break;
    }
    TRY(RejoinPlan rejoining, plan_rejoin(topology_, observe(), order));
    return std::move(rejoining.plan);
}

Result<OrderPlan> Leader::dry_run(const Order& order) const { return plan(order); }

Result<uint64_t> Leader::begin(const Order& order) {
    if (order_status_.is_running) {
        return fail(ErrorKind::conflict, std::format("a {} is under way", order_name(order_status_.kind)));
    }
    auto found = plan(order);
    bool may_get_ready = !found && store_.leads() && found.error().kind() == ErrorKind::conflict &&
                         order.kind == OrderKind::switchover && !order.server.empty();
    if (!found && !may_get_ready) {
        return fail(std::move(found).error());
    }
    order_status_ = {.number = order_status_.number + 1, .kind = order.kind, .is_running = true};
    order_ = order;
    if (found && order.kind == OrderKind::switchover) {
        order_->server = found->server;
    }
    bool is_failover = order.kind == OrderKind::failover;
    order_deadline_ = reactor_.now() + (is_failover ? kFailoverTime : kReadyTime);
    order_epoch_ = topology_.epoch;
    changed_.set();
    return order_status_.number;
}

void Leader::end_order(Result<std::string> outcome) {
    const char* name = order_name(order_status_.kind);
    if (outcome) {
        order_status_.sentence = *std::move(outcome);
        log_.info("database", order_status_.sentence, {{"ordered", name}});
    } else {
        order_status_.error = outcome.error().context();
        log_.warn("database", "an order was not done", {{"order", name}, {"reason", order_status_.error}});
    }
    order_status_.is_running = false;
    order_.reset();
}

// decide() does the steps.
void Leader::follow_failover() {
    if (!order_ || order_->kind != OrderKind::failover) {
        return;
    }
    if (topology_.epoch > order_epoch_) {
        end_order(std::format("{} is primary from epoch {} on", topology_.primary, topology_.epoch));
        return;
    }
    const View primary = line_of(topology_.primary).view();
    bool is_late = reactor_.now() >= order_deadline_;
    if (primary.sight || is_late) {
        end_order(fail(
            ErrorKind::conflict,
            primary.sight ? topology_.primary + " answers again, and stays primary" : decision_.sentence
        ));
    }
}

void Leader::rejoin() {
    if (!order_ || order_->kind != OrderKind::rejoin) {
        return;
    }
    auto rejoining = plan_rejoin(topology_, observe(), *order_);
    if (!rejoining) {
        end_order(fail(std::move(rejoining).error()));
        return;
    }
    const std::string server = order_->server;
    bool is_renewed = rejoining->next.standing_of(server) == Standing::renewing;
    std::string sentence = is_renewed
                               ? std::format(
                                     "the data of {} are put aside, and those of {} copied, as ordered",
                                     server,
                                     topology_.primary
                                 )
                               : server + " follows again, as ordered";
    auto recorded = record(std::move(rejoining->next), sentence);
    if (recorded) {
        end_order(std::move(sentence));
    } else {
        end_order(fail(std::move(recorded).error()));
    }
}

// Whether the switchover that was ordered can begin now; gives it up at its deadline.
bool Leader::is_move_due() {
    if (!order_ || order_->kind != OrderKind::switchover) {
        return false;
    }
    auto found = plan(*order_);
    if (found) {
        return true;
    }
    if (found.error().kind() != ErrorKind::conflict || reactor_.now() >= order_deadline_) {
        end_order(fail(std::move(found).error()));
    }
    return false;
}

std::vector<std::string> Leader::aside_files(const View& view) const {
    std::vector<std::string> files;
    if (topology_.standing_of(view.server) == Standing::diverged) {
        for (const Extra& extra : view.extra) {
            files.push_back(aside_file(shared_directory_, view.server, extra));
        }
    }
    return files;
}

Task<void> Leader::save_extra(const View& view) {
    ServerLine& line = line_of(view.server);
    auto logs = co_await line.ask_apart("SHOW BINARY LOGS", kLogsTime);
    const std::string* first = logs && !logs->results.empty() && !logs->results[0].rows.empty()
                                   ? logs->results[0].value(0, "Log_name")
                                   : nullptr;
    if (first == nullptr) {
        co_return;
    }
    auto saved = co_await set_aside_->save(line.place(), view.extra, *first);
    std::string trouble = saved ? "" : saved.error().context();
    if (trouble != aside_trouble_ && !trouble.empty()) {
        log_.error(
            "database",
            "what a server alone has cannot be written to a file",
            {{"server", view.server}, {"reason", trouble}}
        );
    }
    aside_trouble_ = std::move(trouble);
    changed_.set();
}

// Beside the decisions, which wait for nothing here.
Task<void> Leader::save_extras() {
    core::Duration wait = kExtraLook;
    while (co_await reactor_.sleep_for(wait) == Outcome::ready) {
        const Observation seen = observe();
        for (const View& view : seen.views) {
            bool is_apart = topology_.standing_of(view.server) == Standing::diverged;
            if (is_apart && !view.extra.empty() && !view.is_set_aside) {
                co_await save_extra(view);
            }
        }
        wait = aside_trouble_.empty() ? kExtraLook : kExtraPause;
    }
}

}  // namespace cluster
