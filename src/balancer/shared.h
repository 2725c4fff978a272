// What all cores of one balancer share: process-wide bounds, counters, and the ways to the control thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "balancer/counters.h"
#include "core/log.h"
#include "runtime/keyed_count.h"
#include "runtime/quota.h"
#include "upstream/health.h"

namespace balancer {

// A backend failed a client's request; told to whoever keeps its health.
struct BackendFailure {
    std::string pool;
    uint32_t backend_id;
    upstream::PassiveKind kind;
    std::string sentence;
};

// Called from any core; each hands its argument to another thread and returns at once.
class ControlLink {
public:
    virtual ~ControlLink() = default;
    virtual void report(BackendFailure failure) = 0;
    // Whole access log lines. False when the writer is too far behind: they are dropped.
    [[nodiscard]] virtual bool write_log(std::string lines) = 0;
};

struct Shared {
    Shared(
        std::string tier_name,
        uint32_t connections_max,
        size_t cores,
        core::Log& program_log,
        ControlLink& control_link
    )
        : tier(std::move(tier_name)),
          connections(connections_max),
          counters(cores),
          log(program_log),
          control(control_link) {}

    const std::string tier;  // whose requests these are, as logs name it: "balancer", "web" or "app"

    runtime::Quota connections;
    runtime::KeyedCount clients;         // connections of each client address
    std::vector<CoreCounters> counters;  // one a core
    core::Log& log;
    ControlLink& control;
};

}  // namespace balancer
