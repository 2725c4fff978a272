#include "node/backend_name.h"

#include <string>
#include <vector>

#include "node/config_names.h"

namespace node {

std::string FoundBackend::full_name() const {
    return front->director().pools()[place.pool].config.name + "/" + backend().config.name;
}

std::vector<FoundBackend> all_backends(std::span<const std::unique_ptr<Front>> fronts) {
    std::vector<FoundBackend> all;
    for (const auto& front : fronts) {
        const auto& pools = front->director().pools();
        for (size_t pool = 0; pool < pools.size(); ++pool) {
            for (size_t at = 0; at < pools[pool].backends.size(); ++at) {
                all.push_back({.front = front.get(), .place = {.pool = pool, .backend = at}});
            }
        }
    }
    return all;
}

core::Result<FoundBackend> find_backend(
    std::span<const std::unique_ptr<Front>> fronts,
    std::string_view name
) {
    std::vector<FoundBackend> matches;
    std::vector<std::string> names;
    for (const FoundBackend& candidate : all_backends(fronts)) {
        const std::string& short_name = candidate.backend().config.name;
        std::string full_name = candidate.full_name();
        if (name == short_name || name == full_name) {
            matches.push_back(candidate);
        }
        names.push_back(short_name);
        names.push_back(std::move(full_name));
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
        sentence += (at == 0 ? "" : " or ") + matches[at].full_name();
    }
    return core::fail(core::ErrorKind::conflict, sentence);
}

}  // namespace node
