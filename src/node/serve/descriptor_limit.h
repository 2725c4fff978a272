// How many files a server may have open, and how many clients that is enough for.
#pragma once

#include <cstdint>
#include <vector>

#include "core/log.h"
#include "core/result.h"
#include "node/config/config.h"
#include "node/config/front_plan.h"

namespace node {

struct DescriptorNeed {
    const Config& config;
    const std::vector<FrontPlan>& plans;  // of the server
    uint32_t connections;                 // the key limits.connections of its fronts
    uint32_t cores;                       // that serve
    bool is_with_program;                 // the site's program runs beside it
};

// Raises the limit of open files as far as needed and allowed, with rights that only the start has: two
// descriptors a client (its own and a backend's), and some for all the rest. The default number of clients
// gives way to what the system allows; a number that was written is kept or refused (exhausted). Returns the
// number of clients.
[[nodiscard]] core::Result<uint32_t> ensure_descriptors(const DescriptorNeed& need, core::Log& log);

}  // namespace node
