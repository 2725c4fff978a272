#include "node/serve/backend_name.h"

#include <string>
#include <vector>

#include "node/config/names.h"

namespace node {

namespace {

using balancer::BackendOverride;

const balancer::PoolDirector::Backend& backend_of(const FoundBackend& found) {
    return found.front->director().backend(found.place);
}

const sql::Node& node_of(const FoundBackend& found) { return found.router->nodes()[found.node]; }

}  // namespace

std::string FoundBackend::name() const {
    return is_node() ? node_of(*this).name : backend_of(*this).config.name;
}

std::string FoundBackend::full_name() const {
    std::string pool =
        is_node() ? std::string(kDatabasePool) : front->director().pools()[place.pool].config.name;
    return pool + "/" + name();
}

uint32_t FoundBackend::weight() const {
    return is_node() ? node_of(*this).weight() : backend_of(*this).weight();
}

uint32_t FoundBackend::configured_weight() const {
    return is_node() ? node_of(*this).configured_weight : backend_of(*this).config.weight;
}

BackendOverride FoundBackend::kept() const {
    if (is_node()) {
        const sql::NodeOverride& override = node_of(*this).override;
        return {.weight = override.weight, .admin = override.admin};
    }
    return backend_of(*this).override;
}

void FoundBackend::set_override(const BackendOverride& override) const {
    if (is_node()) {
        router->set_override(node, {.weight = override.weight, .admin = override.admin});
    } else {
        front->director().set_override(place, override);
    }
}

bool FoundBackend::is_primary() const { return is_node() && node_of(*this).state == sql::NodeState::primary; }

std::vector<FoundBackend> all_backends(const BackendOwners& owners) {
    std::vector<FoundBackend> all;
    for (const auto& front : owners.fronts) {
        const auto& pools = front->director().pools();
        for (size_t pool = 0; pool < pools.size(); ++pool) {
            for (size_t at = 0; at < pools[pool].backends.size(); ++at) {
                all.push_back({.front = front.get(), .place = {.pool = pool, .backend = at}});
            }
        }
    }
    for (size_t node = 0; owners.router != nullptr && node < owners.router->nodes().size(); ++node) {
        all.push_back({.router = owners.router, .node = node});
    }
    return all;
}

core::Result<FoundBackend> find_backend(const BackendOwners& owners, std::string_view name) {
    std::vector<FoundBackend> matches;
    std::vector<std::string> names;
    for (const FoundBackend& candidate : all_backends(owners)) {
        std::string short_name = candidate.name();
        std::string full_name = candidate.full_name();
        if (name == short_name || name == full_name) {
            matches.push_back(candidate);
        }
        names.push_back(std::move(short_name));
        names.push_back(std::move(full_name));
    }
    for (const ServerConfig& server : owners.servers) {
        names.push_back(server.name);
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
