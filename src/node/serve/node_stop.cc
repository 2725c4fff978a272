// What runs of a node, and in which order it ends.
#include <algorithm>

#include "node/serve/node.h"
#include "runtime/task_group.h"

namespace node {

// What serve_control() runs besides checks.
struct Node::Ending {
    explicit Ending(runtime::Reactor& control)
        : program(control, 1), database(control, 1), leading(control, 1) {}

    runtime::TaskGroup program;
    runtime::TaskGroup database;
    runtime::TaskGroup leading;
};

runtime::Task<void> Node::serve_core(size_t index) {
    runtime::TaskGroup workers(*world_.cores[index], fronts_.size() + 1);
    for (size_t front = 0; front < fronts_.size(); ++front) {
        workers.spawn(serve_front(front, index));
    }
    if (router_ != nullptr) {
        workers.spawn(serve_router(index));
    }
    co_await workers.join();
}

runtime::Task<void> Node::serve_front(size_t front, size_t core) {
    co_await fronts_[front]->serve_core(core);
    world_.control.post([this, front] { front_has_ended(front); });
}

runtime::Task<void> Node::serve_router(size_t core) {
    co_await router_->serve_core(core);
    world_.control.post([this] { router_has_ended(); });
}

void Node::front_has_ended(size_t front) {
    --front_cores_[front];
    stop_moved_.set();
}

void Node::router_has_ended() {
    --router_cores_;
    stop_moved_.set();
}

runtime::Task<void> Node::serve_control() {
    runtime::TaskGroup checks(world_.control, fronts_.size() + 2);
    Ending ending(world_.control);
    if (database_ != nullptr) {
        ending.database.spawn(database_->serve_agent());
        ending.leading.spawn(database_->serve_leader());
    }
    for (auto& front : fronts_) {
        checks.spawn(front->serve_checks());
    }
    if (router_ != nullptr) {
        checks.spawn(router_->serve_watch());
    }
    if (router_ != nullptr && database_ != nullptr) {
        checks.spawn(database_->serve_router(*router_));
    }
    if (program_ != nullptr) {
        ending.program.spawn(program_->serve());
    }
    co_await stop_in_order(ending);
    checks.request_stop();
    co_await checks.join();
}

runtime::Task<void> Node::stop_in_order(Ending& ending) {
    co_await await_order(StopStage::balancer);
    if (stop_ordered_ == StopStage::all) {
        // Another server decides from now on: what ends here on purpose is not to be repaired from here.
        ending.leading.request_stop();
        co_await ending.leading.join();
    }
    co_await end_fronts(StopStage::balancer);
    co_await end_fronts(StopStage::web);
    co_await await_order(StopStage::app);
    ending.program.request_stop();
    co_await ending.program.join();
    stop_reached_ = StopStage::app;
    co_await end_router();
    co_await await_order(StopStage::leader);
    ending.leading.request_stop();
    co_await ending.leading.join();
    stop_reached_ = StopStage::leader;
    co_await end_primary();
    co_await await_order(StopStage::all);
    if (database_ != nullptr) {
        database_->request_stop();
    }
    co_await ending.database.join();
    stop_reached_ = StopStage::all;
}

runtime::Task<void> Node::await_order(StopStage stage) {
    while (stop_ordered_ < stage) {
        if (co_await stop_moved_.wait() == runtime::Outcome::cancelled) {
            co_return;
        }
    }
}

// Those of the balancer's stage, or all others.
runtime::Task<void> Node::end_fronts(StopStage stage) {
    co_await await_order(stage);
    auto is_of_stage = [&](size_t front) {
        return (fronts_[front]->tier() == kBalancerTier) == (stage == StopStage::balancer);
    };
    for (size_t front = 0; front < fronts_.size(); ++front) {
        if (!is_of_stage(front) || is_hurried_) {
            continue;
        }
        core::Duration within = fronts_[front]->plan().balancer.timeouts.drain;
        world_.log.info(
            fronts_[front]->tier(),
            "draining: no new connections, running requests end",
            {{"within", core::format_duration(within)}}
        );
        fronts_[front]->drain(world_.control.now() + within);
    }
    for (size_t front = 0; front < fronts_.size(); ++front) {
        while (is_of_stage(front) && front_cores_[front] > 0) {
            if (co_await stop_moved_.wait() == runtime::Outcome::cancelled) {
                co_return;
            }
        }
    }
    stop_reached_ = stage;
}

runtime::Task<void> Node::end_router() {
    co_await await_order(StopStage::router);
    if (router_ != nullptr && !is_hurried_) {
        router_->drain(world_.control.now() + router_->config().timeouts.drain);
    }
    while (router_cores_ > 0) {
        if (co_await stop_moved_.wait() == runtime::Outcome::cancelled) {
            co_return;
        }
    }
    stop_reached_ = StopStage::router;
}

// Only by an order of its own: where this server ends alone, another takes its place as soon as it has ended,
// and for that it must have ended in such a way that it can take back what no replica has.
runtime::Task<void> Node::end_primary() {
    co_await await_order(StopStage::primary);
    if (database_ != nullptr && stop_ordered_ == StopStage::primary) {
        co_await database_->end_primary();
    }
    stop_reached_ = StopStage::primary;
}

void Node::order_stop(StopStage stage) {
    stop_ordered_ = std::max(stop_ordered_, stage);
    stop_moved_.set();
}

StopStage Node::stop_through(StopStage stage) {
    order_stop(stage);
    return stop_reached_;
}

void Node::shut_down() {
    if (stop_ordered_ == StopStage::all && !is_hurried_) {
        hurry();
    }
    order_stop(StopStage::all);
}

void Node::hurry() {
    was_cut_ = true;
    is_hurried_ = true;
    world_.log.warn("node", "stopping at once: running requests are cut");
    if (program_ != nullptr) {
        program_->hurry();
    }
    if (database_ != nullptr) {
        database_->hurry();
    }
    for (auto& front : fronts_) {
        front->drain(world_.control.now());
    }
    if (router_ != nullptr) {
        router_->drain(world_.control.now());
    }
}

}  // namespace node
