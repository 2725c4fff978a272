// What an operator changes at a node.
#include "core/panic.h"
#include "sql/topology.h"

namespace sql {

void Topology::set_override(size_t place, const NodeOverride& override) {
    ASSERT(place < nodes_.size());
    if (nodes_[place].override != override) {
        nodes_[place].override = override;
        ++shares_;
    }
}

}  // namespace sql
