#include "sql/routing.h"

#include "core/panic.h"

namespace sql {

std::string_view node_state_name(NodeState state) {
    switch (state) {
        case NodeState::checking: return "checking";
        case NodeState::unreachable: return "unreachable";
        case NodeState::primary: return "primary";
        case NodeState::replica: return "replica";
        case NodeState::unfit: return "unfit";
        case NodeState::removed: return "removed";
    }
    PANIC("a node's state is none of its values");
}

}  // namespace sql
