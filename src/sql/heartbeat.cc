#include "sql/heartbeat.h"

#include <algorithm>
#include <format>

namespace sql {

std::string Heartbeat::next_text() {
    ++count_;
    return std::format(
        "INSERT INTO trilith.heartbeat VALUES (1, {0}) ON DUPLICATE KEY UPDATE beat = {0}",
        mark_ | count_
    );
}

void Heartbeat::on_written(core::Instant sent) {
    if (written_.size() == kBeatsMax) {
        written_.pop_front();
    }
    written_.push_back({.number = mark_ | count_, .sent = sent});
}

std::optional<core::Duration> Heartbeat::age(uint64_t beat, core::Instant now) const {
    auto found = std::ranges::lower_bound(written_, beat, {}, &Beat::number);
    if (found == written_.end() || found->number != beat) {
        return std::nullopt;
    }
    return now - found->sent;
}

}  // namespace sql
