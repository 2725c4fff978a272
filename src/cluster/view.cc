#include "cluster/view.h"

#include <format>
#include <ranges>

#include "core/joined.h"

namespace cluster {

std::string unknown_server(const Observation& seen, const std::string& name) {
    std::string known = core::joined(std::views::transform(seen.views, &View::server));
    return std::format("no server of the cluster is named \"{}\"; there are: {}", name, known);
}

}  // namespace cluster
