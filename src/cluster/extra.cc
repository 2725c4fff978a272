#include "cluster/extra.h"

#include <algorithm>
#include <format>

namespace cluster {

std::optional<GtidState> read_gtid_state(std::string_view text) {
    GtidState state;
    while (!text.empty()) {
        std::string_view one = text.substr(0, text.find(','));
        text.remove_prefix(std::min(one.size() + 1, text.size()));
        while (one.starts_with(' ') || one.starts_with('\n')) {
            one.remove_prefix(1);
        }
        auto gtid = mysql::read_gtid(one);
        if (!gtid) {
            return std::nullopt;
        }
        state.push_back(*gtid);
    }
    return state;
}

std::optional<std::string> state_text_at(std::string_view before, std::string_view position) {
    auto known = read_gtid_state(before);
    auto reached = mysql::GtidPosition::read(position);
    if (!known || !reached) {
        return std::nullopt;
    }
    std::string text;
    auto append = [&text](const mysql::Gtid& gtid) {
        text += std::format("{}{}-{}-{}", text.empty() ? "" : ",", gtid.domain, gtid.server, gtid.sequence);
    };
    for (const mysql::Gtid& gtid : *known) {
        bool is_newest = std::ranges::any_of(reached->gtids(), [&](const mysql::Gtid& newest) {
            return newest.domain == gtid.domain && newest.server == gtid.server;
        });
        if (!is_newest) {
            append(gtid);
        }
    }
    std::ranges::for_each(reached->gtids(), append);
    return text;
}

std::vector<Extra> extra_of(
    const GtidState& own,
    const GtidState& primary,
    std::optional<uint32_t> primary_id
) {
    std::vector<Extra> extra;
    for (const mysql::Gtid& gtid : own) {
        auto found = std::ranges::find_if(primary, [&](const mysql::Gtid& other) {
            return other.domain == gtid.domain && other.server == gtid.server;
        });
        uint64_t there = found == primary.end() ? 0 : found->sequence;
        if (gtid.sequence > there && gtid.server != primary_id) {
            extra.push_back({.last = gtid, .after = there});
        }
    }
    return extra;
}

std::string describe_extra(const std::vector<Extra>& extra) {
    std::string text;
    for (const Extra& one : extra) {
        text += text.empty() ? "" : ", ";
        text += std::format("{}-{}-{}", one.last.domain, one.last.server, one.last.sequence);
        text += one.after == 0 ? "" : std::format(" (after {})", one.after);
    }
    return text;
}

}  // namespace cluster
