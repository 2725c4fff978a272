// What became better or worse between two looks, in sentences.
#include <algorithm>
#include <format>

#include "sql/topology.h"

namespace sql {

std::vector<TopologyChange> Topology::changes(
    const std::vector<Node>& before,
    std::optional<size_t> primary_before,
    const std::string& why_before
) const {
    std::vector<TopologyChange> changes;
    for (size_t place = 0; place < nodes_.size(); ++place) {
        const Node& was = before[place];
        const Node& is = nodes_[place];
        bool has_state_changed = was.state != is.state;
        if (has_state_changed && is.state == NodeState::unreachable) {
            changes.push_back({ChangeKind::worse, is.name + " does not answer: " + is.why});
            continue;
        }
        if (has_state_changed && was.state == NodeState::unreachable) {
            changes.push_back({ChangeKind::better, is.name + " answers again"});
        }
        if (!was.is_fit && is.is_fit) {
            changes.push_back({ChangeKind::better, "replica " + is.name + " serves reads"});
        } else if (was.is_fit && !is.is_fit && is.state == NodeState::replica) {
            changes.push_back({ChangeKind::worse, "replica " + is.name + " gets no reads: " + is.why});
        } else if (has_state_changed && !is.is_fit && !is.why.empty()) {
            changes.push_back({ChangeKind::worse, is.name + " gets no reads: " + is.why});
        }
    }
    if (primary_ && primary_ != primary_before) {
        const Node& node = nodes_[*primary_];
        std::string sentence = std::format("primary is {} (server id {})", node.name, node.server_id);
        if (!gone_primary_.empty() && gone_primary_ != node.name) {
            sentence += ", after " + gone_primary_;
        }
        changes.push_back({ChangeKind::better, std::move(sentence)});
    }
    bool is_news = primary_before || why_before != primary_why_;
    if (!primary_ && is_news && std::ranges::all_of(records_, &Record::was_asked)) {
        changes.push_back({ChangeKind::worse, "no primary: " + primary_why_});
    }
    return changes;
}

}  // namespace sql
