// Turning reactors and moving time; see world.h.
#include "sim/world.h"

#include <algorithm>

#include "core/panic.h"

namespace sim {

namespace {

// Turns of all reactors at one instant: beyond that they keep each other busy without end.
constexpr size_t kTurnsPerInstant = 100'000;

}  // namespace

World::World(uint64_t seed, const WireConfig& config) : os_(seed, config), random_(seed * 2 + 1) {}

runtime::Reactor& World::add_reactor(Host host) {
    os_.run_as(host);
    size_t before = os_.open_descriptors();
    auto reactor = runtime::Reactor::open(os_);
    ASSERT(reactor.has_value());
    reactor_descriptors_ += os_.open_descriptors() - before;
    cores_.push_back({.host = host, .reactor = std::move(*reactor)});
    return *cores_.back().reactor;
}

void World::start(runtime::Reactor& reactor, runtime::Task<void> root) {
    auto core = std::ranges::find(cores_, &reactor, [](const Core& each) { return each.reactor.get(); });
    ASSERT(core != cores_.end());
    os_.run_as(core->host);
    reactor.start(std::move(root));
}

bool World::run_until(const std::function<bool()>& condition, core::Duration time_max) {
    core::Instant deadline = os_.now() + time_max;
    size_t turns = 0;
    while (!condition()) {
        if (turn_all()) {
            ASSERT(++turns < kTurnsPerInstant);
            continue;
        }
        turns = 0;
        core::Instant next = next_instant();
        if (next > deadline) {
            if (!next.is_never()) {
                os_.advance_to(deadline);
            }
            return condition();
        }
        os_.advance_to(next);
        run_actions();
    }
    return true;
}

std::string World::leaked() const {
    return os_.open_descriptors() == reactor_descriptors_ ? "" : os_.describe_descriptors();
}

// One turn of each reactor, in an order of its own each time. False when nothing was left to do at this
// instant.
bool World::turn_all() {
    std::vector<Core*> order;
    for (Core& core : cores_) {
        order.insert(order.begin() + static_cast<ptrdiff_t>(random_.below(order.size() + 1)), &core);
    }
    bool has_run = false;
    for (Core* core : order) {
        if (!os_.is_paused(core->host)) {
            os_.run_as(core->host);
            has_run |= core->reactor->turn(core::Duration::zero());
        }
    }
    return has_run || os_.has_ready();
}

core::Instant World::next_instant() {
    core::Instant next = os_.next_event_time();
    if (!actions_.empty()) {
        next = std::min(next, actions_.begin()->first);
    }
    for (const Core& core : cores_) {
        if (!os_.is_paused(core.host)) {
            next = std::min(next, core.reactor->next_timer());
        }
    }
    // A timer's instant is a lower bound: when it has passed, the wheel needs the next tick.
    return std::max(next, os_.now() + core::Duration(1));
}

void World::run_actions() {
    while (!actions_.empty() && actions_.begin()->first <= os_.now()) {
        auto action = actions_.extract(actions_.begin());
        action.mapped()();
    }
}

}  // namespace sim
