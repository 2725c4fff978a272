// The access log of one core: a JSON line for each request, gathered here and handed to the log thread in
// blocks.
#pragma once

#include <string>

#include "balancer/exchange.h"
#include "core/units.h"

namespace balancer {

class ControlLink;

class AccessLog {
public:
    AccessLog(ControlLink& control, CoreCounters& counters) : control_(control), counters_(counters) {}

    // Appends the line of an exchange that has ended. `wall_now` and `now` are the same moment.
    void write(const Exchange& exchange, core::WallTime wall_now, core::Instant now);
    // Hands over what was gathered. Called a few times a second.
    void flush();

private:
    static constexpr size_t kBlockBytes = 64 << 10;

    ControlLink& control_;
    CoreCounters& counters_;
    std::string block_;
    size_t lines_ = 0;
};

}  // namespace balancer
