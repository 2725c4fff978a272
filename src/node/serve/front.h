// One tier's door on this server: its listeners, its workers on every core, its pools and what it answers by
// itself. A server has one for each of its roles that takes requests; they share cores, log and overrides.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "balancer/pool_director.h"
#include "balancer/shared.h"
#include "balancer/snapshot.h"
#include "balancer/worker.h"
#include "core/log.h"
#include "node/config/front_plan.h"
#include "node/log/sink.h"
#include "node/serve/local_answers.h"
#include "runtime/reactor.h"

namespace node {

// What a front lives in.
struct FrontWorld {
    runtime::Reactor& control;
    std::vector<runtime::Reactor*> cores;  // at least one
    core::Log& log;
    LogSink& access_log;           // outlives the front's cores
    uint32_t connections_max = 0;  // clients at a time where the system allows fewer than planned; 0: as
                                   // planned
    balancer::PoolDirector::RecallOverride recall;
};

class Front final : private balancer::ControlLink {
public:
    // Opens the listeners, so that an occupied port or a missing privilege shows before anything runs; makes
    // sure that roots can be served. Nothing is accepted before serve_core().
    [[nodiscard]] static core::Result<std::unique_ptr<Front>> open(FrontPlan plan, const FrontWorld& world);
    ~Front() override;

    // What a changed plan needs and may not get. Nothing has changed yet.
    struct Staged {
        struct OpenedListener {
            size_t core;
            net::Listener listener;
        };

        FrontPlan plan;
        std::shared_ptr<const balancer::Snapshot> snapshot;
        std::vector<std::shared_ptr<const http::LocalHandlerMaker>> handlers;
        std::vector<OpenedListener> listeners;
        std::vector<net::Address> asked;  // parallel: what is newly listened on, and what was bound for it
        std::vector<net::Address> bound;
    };
    [[nodiscard]] core::Result<Staged> stage(FrontPlan plan);
    // Takes it over; cannot fail.
    void commit(Staged staged);

    // Runs the worker of one core until drain() is over there.
    [[nodiscard]] [[clang::coro_wrapper]] runtime::Task<void> serve_core(size_t index) {
        return workers_[index]->serve();
    }
    // Runs the health checks until the fiber is stopped.
    [[nodiscard]] [[clang::coro_wrapper]] runtime::Task<void> serve_checks() { return director_.serve(); }
    // Stops accepting, lets running requests end until the deadline; a second call cuts them.
    void drain(core::Instant deadline);

    // The backends of a pool that the program of this server makes and takes away; the configuration has none
    // for it. In order; what was there keeps its health and counters.
    void set_backends(std::string_view pool, std::vector<upstream::BackendConfig> backends);
    // Ends when no core can give a backend that set_backends() took away a request any more, and none runs on
    // it; at the deadline at the latest. On the control reactor.
    [[nodiscard]] runtime::Task<void> drained(net::Address backend, core::Instant deadline);

    [[nodiscard]] const std::string& tier() const { return plan_.tier; }
    [[nodiscard]] const FrontPlan& plan() const { return plan_; }
    [[nodiscard]] balancer::PoolDirector& director() { return director_; }
    [[nodiscard]] const balancer::PoolDirector& director() const { return director_; }
    [[nodiscard]] const balancer::Shared& shared() const { return shared_; }
    [[nodiscard]] const std::vector<net::Address>& listening() const { return listening_; }

private:
    Front(FrontPlan plan, const FrontWorld& world);

    void report(balancer::BackendFailure failure) override;
    [[nodiscard]] bool write_log(std::string lines) override;

    [[nodiscard]] core::Result<void> open_listeners(const balancer::Config& config, Staged& staged);
    [[nodiscard]] core::Result<void> make_handlers(Staged& staged);
    void close_removed_listeners();
    void publish_all();
    void publish_pool(std::shared_ptr<const upstream::PoolState> state);
    void note_readiness();
    template <class Call>
    void post_to_cores(const Call& call);

    FrontWorld world_;
    FrontPlan plan_;
    balancer::Shared shared_;
    ServingState serving_;
    std::shared_ptr<const balancer::Snapshot> snapshot_;
    std::vector<std::shared_ptr<const http::LocalHandlerMaker>> handlers_;  // parallel to plan_.handlers
    balancer::PoolDirector director_;
    std::vector<std::unique_ptr<balancer::Worker>> workers_;
    // Parallel: what was asked for (port 0 possible), and what is bound.
    std::vector<net::Address> asked_;
    std::vector<net::Address> listening_;

    // A backend that takes no new request and may still run some.
    struct Leaving {
        net::Address address;
        std::shared_ptr<upstream::BackendRecord> record;
    };
    std::vector<Leaving> leaving_;
};

}  // namespace node
