#include "cluster/view.h"

#include <format>

namespace cluster {

std::string unknown_server(const Observation& seen, const std::string& name) {
    std::string known;
    for (const View& view : seen.views) {
        known += (known.empty() ? "" : ", ") + view.server;
    }
    return std::format("no server of the cluster is named \"{}\"; there are: {}", name, known);
}

}  // namespace cluster
