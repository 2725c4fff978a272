// Reads what [database] says where servers of ours have the role `database`: how they are kept.
#pragma once

#include <string_view>
#include <vector>

#include "node/config/config.h"
#include "node/config/section.h"
#include "node/config/settings.h"

namespace node {

// The keys primary, durability, alone, memory, directory, port and manager_port, as config/settings.h has
// those of the other tiers; all need a restart.
[[nodiscard]] std::vector<Setting> cluster_settings(const cluster::Config& config);

// What [database] says of the servers that have the role, of which there is one at least; relative paths
// begin at `base`. The rest of the section is read by read_kept_database().
[[nodiscard]] cluster::Config read_cluster(
    Section& database,
    std::string_view base,
    const std::vector<ServerConfig>& servers
);

// The servers of the cluster, in the order of the file. `shared`: the directory of what they share.
[[nodiscard]] std::vector<cluster::Place> cluster_places(const Config& config, const std::string& shared);

}  // namespace node
