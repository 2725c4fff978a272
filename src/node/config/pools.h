// Reads [pools.NAME] and its backends, with what [balancer] says for all pools as defaults.
#pragma once

#include <string_view>
#include <vector>

#include "node/config/section.h"
#include "upstream/config.h"

namespace node {

// The algorithm and mode as they are written in a configuration file.
[[nodiscard]] std::string_view algorithm_name(upstream::Algorithm algorithm);
[[nodiscard]] std::string_view mode_name(upstream::Mode mode);

// Reads algorithm, mode, failback and health, the keys that [balancer] and [pools.NAME] share, over what
// `pool` holds.
void read_pool_defaults(Section& section, upstream::PoolConfig& pool);

// The pools in the order written, each begun as a copy of `defaults`. One that is called `taken`, the name of
// a derived pool or "", is reported.
[[nodiscard]] std::vector<upstream::PoolConfig> read_pools(
    Section& root,
    const upstream::PoolConfig& defaults,
    std::string_view taken
);

}  // namespace node
