// A whole site in one thread: reactors of several hosts on one simulated network, turned in an order that the
// seed draws.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/random.h"
#include "runtime/reactor.h"
#include "sim/sim_os.h"

namespace sim {

class World {
public:
    World(uint64_t seed, const WireConfig& config);

    // All root tasks have ended (asserted by their reactors).
    ~World() = default;
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    [[nodiscard]] SimOs& os() { return os_; }

    // Choices of the scenario; the network draws from a source of its own.
    [[nodiscard]] core::Random& random() { return random_; }

    // A reactor of that host; lives as long as the world.
    [[nodiscard]] runtime::Reactor& add_reactor(Host host);
    // Starts the reactor's root task as a program of its host.
    void start(runtime::Reactor& reactor, runtime::Task<void> root);

    // Runs `action` when the clock reaches `instant`: a fault, a change of configuration.
    void at(core::Instant instant, std::function<void()> action) {
        actions_.emplace(instant, std::move(action));
    }

    // Turns all reactors and moves time until `condition` holds or `time_max` of virtual time has passed.
    // False when it does not hold then, or when nothing is left that could make it true.
    [[nodiscard]] bool run_until(const std::function<bool()>& condition, core::Duration time_max);

    // Descriptors that are open beside the reactors' own, in words; "" after an orderly end of all programs.
    [[nodiscard]] std::string leaked() const;

private:
    struct Core {
        Host host;
        std::unique_ptr<runtime::Reactor> reactor;
    };

    bool turn_all();
    [[nodiscard]] core::Instant next_instant();
    void run_actions();

    SimOs os_;
    core::Random random_;
    std::vector<Core> cores_;
    size_t reactor_descriptors_ = 0;
    std::multimap<core::Instant, std::function<void()>> actions_;
};

}  // namespace sim
