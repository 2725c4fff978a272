#include "node/backend_name.h"

#include <string>
#include <vector>

#include "node/config_names.h"

namespace node {

using Found = balancer::PoolDirector::Found;

std::string full_backend_name(const balancer::PoolDirector& director, Found found) {
    return director.pools()[found.pool].config.name + "/" + director.backend(found).config.name;
}

core::Result<Found> find_backend(const balancer::PoolDirector& director, std::string_view name) {
    std::vector<Found> matches;
    std::vector<std::string> names;
    const auto& pools = director.pools();
    for (size_t pool = 0; pool < pools.size(); ++pool) {
        for (size_t at = 0; at < pools[pool].backends.size(); ++at) {
            Found candidate{.pool = pool, .backend = at};
            const std::string& short_name = director.backend(candidate).config.name;
            std::string full_name = full_backend_name(director, candidate);
            if (name == short_name || name == full_name) {
                matches.push_back(candidate);
            }
            names.push_back(short_name);
            names.push_back(std::move(full_name));
        }
    }
    if (matches.size() == 1) {
        return matches.front();
    }
    std::string sentence = "\"" + std::string(name) + "\"";
    if (matches.empty()) {
        std::vector<std::string_view> known(names.begin(), names.end());
        return core::fail(
            core::ErrorKind::not_found,
            "no backend is named " + sentence + suggestion(name, known, "known are")
        );
    }
    sentence += " is ambiguous: say ";
    for (size_t at = 0; at < matches.size(); ++at) {
        sentence += (at == 0 ? "" : " or ") + full_backend_name(director, matches[at]);
    }
    return core::fail(core::ErrorKind::conflict, sentence);
}

}  // namespace node
