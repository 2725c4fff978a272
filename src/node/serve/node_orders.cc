// What an operator orders about backends: found by name, kept, and done.
#include <algorithm>
#include <utility>

#include "node/serve/node.h"

namespace node {

using balancer::BackendOverride;
using upstream::AdminState;

namespace {

std::string weight_sentence(uint32_t before, uint32_t now, uint32_t configured) {
    std::string sentence = "weight " + std::to_string(before) + " → " + std::to_string(now);
    if (now == configured) {
        return sentence + " (as configured)";
    }
    return sentence + " (configured " + std::to_string(configured) +
           "; kept over reload and restart until undone)";
}

// Of a database node: what an operator changes there is about reads alone.
std::string_view node_sentence(AdminState admin) {
    switch (admin) {
        case AdminState::enabled: return "enabled: takes reads again";
        case AdminState::draining: return "draining: running reads end, no new ones come";
        case AdminState::disabled: return "disabled: gets no reads from now on";
    }
    return "";
}

std::string_view admin_sentence(AdminState admin) {
    switch (admin) {
        case AdminState::enabled: return "enabled: takes requests again";
        case AdminState::draining: return "draining: running requests end, no new ones come";
        case AdminState::disabled: return "disabled: out at once";
    }
    return "";
}

OverrideChange taken_back(const FoundBackend& found) {
    return {
        .found = found,
        .override = {},
        .sentence = "as configured again: weight " + std::to_string(found.configured_weight()) + ", enabled",
    };
}

// None of its backends takes new requests any more.
bool is_pool_empty(const FoundBackend& found) {
    return !found.is_node() &&
           found.front->director().pools()[found.place.pool].state->set.rotation().empty();
}

}  // namespace

// Kept first, then done: what was acknowledged survives a crash.
core::Result<void> Node::override_backends(std::span<const OverrideChange> changes) {
    if (world_.overrides != nullptr) {
        Overrides kept = world_.overrides->all();
        for (const OverrideChange& change : changes) {
            kept.insert_or_assign(change.found.full_name(), change.override);
        }
        TRY_VOID(world_.overrides->replace(std::move(kept)));
    }
    for (const OverrideChange& change : changes) {
        change.found.set_override(change.override);
    }
    return {};
}

// What goes on although it gets no share of the reads.
std::string Node::primary_remark(const FoundBackend& found) const {
    if (!found.is_primary()) {
        return "";
    }
    std::string remark = "; the primary still takes writes, and reads that no replica can take";
    return database_ == nullptr ? remark : remark + ": trilith switchover moves them";
}

core::Result<OrderTargets> Node::find_targets(std::string_view name) const {
    auto server = std::ranges::find(config_.servers, name, &ServerConfig::name);
    if (server != config_.servers.end()) {
        return parts_of(backend_owners(), config_, {.self = self(config_), .server = *server});
    }
    TRY(FoundBackend found, find_backend(backend_owners(), name));
    return OrderTargets{.backends = {found}, .server = {}, .remarks = {}};
}

core::Result<OrderReply> Node::carry_out(OrderTargets targets, std::vector<OverrideChange> changes) {
    TRY_VOID(override_backends(changes));
    OrderReply reply{
        .changes = {},
        .server = std::move(targets.server),
        .remarks = std::move(targets.remarks),
    };
    for (OverrideChange& change : changes) {
        std::string sentence = std::move(change.sentence);
        if (!reply.server.empty() && !change.override.is_empty() && is_pool_empty(change.found)) {
            sentence += "; no other backend takes requests now";
        }
        reply.changes.push_back({.backend = change.found.full_name(), .sentence = std::move(sentence)});
        world_.log.info("node", reply.changes.back().backend + ": " + reply.changes.back().sentence);
    }
    return reply;
}

core::Result<OrderReply> Node::set_weight(std::string_view name, uint32_t weight) {
    TRY(OrderTargets targets, find_targets(name));
    std::vector<OverrideChange> changes;
    for (const FoundBackend& found : targets.backends) {
        if (!targets.server.empty() && found.is_node()) {
            continue;  // a server's weight is its share of the requests
        }
        uint32_t configured = found.configured_weight();
        BackendOverride override = found.kept();
        override.weight = weight == configured ? std::nullopt : std::optional(weight);
        std::string remark = weight == 0 ? primary_remark(found) : "";
        changes.push_back(
            {.found = found,
             .override = override,
             .sentence = weight_sentence(found.weight(), weight, configured) + remark}
        );
    }
    targets.remarks.clear();
    return carry_out(std::move(targets), std::move(changes));
}

core::Result<OrderReply> Node::set_admin(std::string_view name, AdminState admin) {
    TRY(OrderTargets targets, find_targets(name));
    std::vector<OverrideChange> changes;
    for (const FoundBackend& found : targets.backends) {
        BackendOverride override = found.kept();
        override.admin = admin == AdminState::enabled ? std::nullopt : std::optional(admin);
        std::string sentence(found.is_node() ? node_sentence(admin) : admin_sentence(admin));
        // Who drains a whole server moves its primary next.
        bool is_moved = !targets.server.empty() && admin == AdminState::draining;
        if (admin != AdminState::enabled && !is_moved) {
            sentence += primary_remark(found);
        }
        changes.push_back({.found = found, .override = override, .sentence = std::move(sentence)});
    }
    if (admin == AdminState::enabled) {
        targets.remarks.clear();
    }
    return carry_out(std::move(targets), std::move(changes));
}

core::Result<OrderReply> Node::undo(std::string_view name) {
    TRY(OrderTargets targets, find_targets(name));
    std::vector<OverrideChange> changes;
    for (const FoundBackend& found : targets.backends) {
        if (targets.server.empty() || !found.kept().is_empty()) {
            changes.push_back(taken_back(found));
        }
    }
    targets.remarks.clear();
    return carry_out(std::move(targets), std::move(changes));
}

core::Result<OrderReply> Node::undo_all() {
    std::vector<OverrideChange> changes;
    for (const FoundBackend& found : all_backends(backend_owners())) {
        if (!found.kept().is_empty()) {
            changes.push_back(taken_back(found));
        }
    }
    return carry_out({}, std::move(changes));
}

}  // namespace node
