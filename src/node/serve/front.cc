#include "node/serve/front.h"

#include <algorithm>

#include "core/panic.h"
#include "node/serve/port_holder.h"
#include "runtime/event.h"
#include "web/site.h"

namespace node {

using balancer::PoolDirector;

namespace {

// How soon the end of the last request on a backend that leaves is noticed.
constexpr core::Duration kDrainedLook = std::chrono::milliseconds(20);

core::Result<std::shared_ptr<const balancer::Snapshot>> make_snapshot(const balancer::Config& config) {
    TRY(auto proxies, balancer::TrustedProxies::parse(config.trusted_proxies));
    return std::make_shared<const balancer::Snapshot>(config, std::move(proxies));
}

// A message to every core and its answer; kept alive by them.
struct RoundOfCores {
    RoundOfCores(runtime::Reactor& control, size_t cores) : waited_for(cores), is_over(control) {}

    size_t waited_for;
    runtime::Event is_over;
};

}  // namespace

core::Result<std::unique_ptr<Front>> Front::open(FrontPlan plan, const FrontWorld& world) {
    ASSERT(!world.cores.empty());
    FrontPlan wanted = plan;
    std::unique_ptr<Front> front(new Front(std::move(plan), world));
    TRY(Staged staged, front->stage(std::move(wanted)));
    front->commit(std::move(staged));
    return front;
}

Front::Front(FrontPlan plan, const FrontWorld& world)
    : world_(world),
      plan_(std::move(plan)),
      shared_(
          plan_.tier,
          world.connections_max == 0 ? plan_.balancer.limits.connections : world.connections_max,
          world.cores.size(),
          world.log,
          *this
      ),
      director_(
          world.control,
          world.log,
          world.cores.size(),
          [this](std::shared_ptr<const upstream::PoolState> state) { publish_pool(std::move(state)); },
          world_.recall
      ) {
    for (size_t index = 0; index < world_.cores.size(); ++index) {
        workers_.push_back(std::make_unique<balancer::Worker>(*world_.cores[index], index, shared_));
    }
}

Front::~Front() = default;

core::Result<Front::Staged> Front::stage(FrontPlan plan) {
    Staged staged{
        .plan = std::move(plan),
        .snapshot = {},
        .handlers = {},
        .listeners = {},
        .asked = {},
        .bound = {},
    };
    // Of a pool that the running program fills, the configuration knows no backend.
    for (upstream::PoolConfig& pool : staged.plan.balancer.pools) {
        auto known = std::ranges::find(plan_.balancer.pools, pool.name, &upstream::PoolConfig::name);
        if (pool.backends.empty() && known != plan_.balancer.pools.end()) {
            pool.backends = known->backends;
        }
    }
    TRY(staged.snapshot, make_snapshot(staged.plan.balancer));
    TRY_VOID(make_handlers(staged));
    TRY_VOID(open_listeners(staged.plan.balancer, staged));
    return staged;
}

// What was planned in the same way keeps its maker, and so the cores keep what they have cached.
core::Result<void> Front::make_handlers(Staged& staged) {
    for (const HandlerPlan& plan : staged.plan.handlers) {
        auto known = std::ranges::find(plan_.handlers, plan);
        auto at = static_cast<size_t>(known - plan_.handlers.begin());
        if (at < handlers_.size()) {
            staged.handlers.push_back(handlers_[at]);
        } else if (const auto* site = std::get_if<web::Config>(&plan)) {
            TRY(auto maker, web::SiteMaker::create(*site, world_.log, world_.control.os().random_number()));
            staged.handlers.push_back(std::move(maker));
        } else {
            staged.handlers.push_back(std::make_shared<HealthAnswerMaker>(serving_));
        }
    }
    return {};
}

core::Result<void> Front::open_listeners(const balancer::Config& config, Staged& staged) {
    for (const net::Address& address : config.listen) {
        if (std::ranges::find(asked_, address) != asked_.end()) {
            continue;
        }
        // Cores share the port, and so would another process of ours: this one must find it free first.
        if (auto free = net::Listener::check_free(world_.control, address); !free) {
            bool is_taken = free.error().kind() == core::ErrorKind::conflict;
            std::string cure = is_taken ? port_cure(address) : "";
            return core::fail(
                free.error().kind(),
                staged.plan.listen_key + ": " + free.error().context() + cure
            );
        }
        net::Address wanted = address;
        for (size_t core = 0; core < world_.cores.size(); ++core) {
            TRY(auto listener,
                net::Listener::open(
                    *world_.cores[core],
                    wanted,
                    {.is_shared = true, .awaits_first_bytes = true}
                ));
            wanted = listener.address();  // the port that was chosen for port 0
            staged.listeners.push_back({.core = core, .listener = std::move(listener)});
        }
        staged.asked.push_back(address);
        staged.bound.push_back(wanted);
    }
    return {};
}

void Front::commit(Staged staged) {
    plan_ = std::move(staged.plan);
    snapshot_ = std::move(staged.snapshot);
    handlers_ = std::move(staged.handlers);
    director_.apply(plan_.balancer.pools);
    publish_all();
    note_readiness();
    close_removed_listeners();
    asked_.insert(asked_.end(), staged.asked.begin(), staged.asked.end());
    listening_.insert(listening_.end(), staged.bound.begin(), staged.bound.end());
    for (Staged::OpenedListener& one : staged.listeners) {
        auto take = [worker = workers_[one.core].get(), listener = std::move(one.listener)]() mutable {
            worker->add_listener(std::move(listener));
        };
        world_.cores[one.core]->post(std::move(take));
    }
    const balancer::AccessLogConfig& access = plan_.balancer.access_log;
    if (access.is_enabled) {
        world_.access_log.reopen(
            {.file = access.file, .is_printed = access.is_printed, .is_kept = access.is_kept}
        );
    }
}

void Front::drain(core::Instant deadline) {
    if (serving_.is_draining.value() == 0) {
        serving_.is_draining.add(1);
    }
    post_to_cores([deadline](balancer::Worker& worker) { worker.drain(deadline); });
}

template <class Call>
void Front::post_to_cores(const Call& call) {
    for (size_t index = 0; index < workers_.size(); ++index) {
        world_.cores[index]->post([worker = workers_[index].get(), call] { call(*worker); });
    }
}

void Front::close_removed_listeners() {
    const std::vector<net::Address>& wanted = plan_.balancer.listen;
    for (size_t at = asked_.size(); at-- > 0;) {
        if (std::ranges::find(wanted, asked_[at]) != wanted.end()) {
            continue;
        }
        post_to_cores([address = listening_[at]](balancer::Worker& worker) { worker.close_listener(address); }
        );
        asked_.erase(asked_.begin() + static_cast<ptrdiff_t>(at));
        listening_.erase(listening_.begin() + static_cast<ptrdiff_t>(at));
    }
}

void Front::publish_all() {
    balancer::Publication publication{
        .snapshot = snapshot_,
        .pools = director_.states(),
        .handlers = handlers_,
    };
    post_to_cores([publication](balancer::Worker& worker) { worker.apply(publication); });
}

void Front::publish_pool(std::shared_ptr<const upstream::PoolState> state) {
    post_to_cores([state](balancer::Worker& worker) { worker.apply_pool(state); });
    note_readiness();  // behind it: a core that says it can serve has heard of the backend
}

// Requests that are no files need every pool there is.
void Front::note_readiness() {
    auto unusable = std::ranges::count_if(director_.pools(), [](const PoolDirector::Pool& pool) {
        return pool.state->set.rotation().empty();
    });
    serving_.pools_unusable.add(unusable - serving_.pools_unusable.value());
}

void Front::report(balancer::BackendFailure failure) {
    world_.control.post([this, told = std::move(failure)] { director_.on_failure(told); });
}

bool Front::write_log(std::string lines) { return world_.access_log.write(std::move(lines)); }

void Front::set_backends(std::string_view pool, std::vector<upstream::BackendConfig> backends) {
    std::vector<upstream::PoolConfig>& pools = plan_.balancer.pools;
    auto config = std::ranges::find(pools, pool, &upstream::PoolConfig::name);
    ASSERT(config != pools.end());
    auto place = static_cast<size_t>(config - pools.begin());
    for (const auto& backend : director_.pools()[place].backends) {
        bool stays =
            std::ranges::contains(backends, backend->config.address, &upstream::BackendConfig::address);
        if (!stays) {
            leaving_.push_back({.address = backend->config.address, .record = backend->record});
        }
    }
    std::erase_if(leaving_, [&](const Leaving& leaving) {
        return std::ranges::contains(backends, leaving.address, &upstream::BackendConfig::address);
    });
    config->backends = std::move(backends);
    director_.apply(pools);
    publish_pool(director_.states()[place]);
}

runtime::Task<void> Front::drained(net::Address backend, core::Instant deadline) {
    // A core that has not seen the newest snapshot may still choose the backend: first each answers.
    auto round = std::make_shared<RoundOfCores>(world_.control, workers_.size());
    for (runtime::Reactor* core : world_.cores) {
        core->post([&control = world_.control, round] {
            control.post([round] {
                if (--round->waited_for == 0) {
                    round->is_over.set();
                }
            });
        });
    }
    [[maybe_unused]] runtime::Outcome outcome = co_await round->is_over.wait(deadline);
    auto in_flight = [&] {
        int64_t sum = 0;
        for (const Leaving& leaving : leaving_) {
            if (leaving.address == backend) {
                for (const upstream::BackendCounters& core : leaving.record->counters) {
                    sum += core.in_flight.value();
                }
            }
        }
        return sum;
    };
    while (in_flight() > 0 && world_.control.now() < deadline) {
        if (co_await world_.control.sleep_for(kDrainedLook) == runtime::Outcome::cancelled) {
            break;
        }
    }
    std::erase_if(leaving_, [&](const Leaving& leaving) { return leaving.address == backend; });
}

}  // namespace node
