// What a reload and an operator change.
#include <algorithm>

#include "core/panic.h"
#include "sql/topology.h"

namespace sql {

Topology::Topology(const TopologyConfig& config, const Topology& before) : Topology(config) {
    for (size_t place = 0; place < nodes_.size(); ++place) {
        auto known = std::ranges::find(before.nodes_, nodes_[place].address, &Node::address);
        if (known == before.nodes_.end()) {
            continue;
        }
        auto place_before = static_cast<size_t>(known - before.nodes_.begin());
        Node node = *known;
        node.name = nodes_[place].name;
        node.configured_weight = nodes_[place].configured_weight;
        nodes_[place] = std::move(node);
        records_[place] = before.records_[place_before];
        if (before.primary_ == place_before) {
            primary_ = place;
            meter_ = before.meter_;
        }
    }
    shares_ = before.shares_ + 1;
    gone_primary_ = before.gone_primary_;
    appointed_ = before.appointed_;
    appointed_why_ = before.appointed_why_;
    primary_why_ = primary_ ? std::string() : why_no_primary();
}

void Topology::set_override(size_t place, const NodeOverride& override) {
    ASSERT(place < nodes_.size());
    if (nodes_[place].override != override) {
        nodes_[place].override = override;
        ++shares_;
    }
}

}  // namespace sql
