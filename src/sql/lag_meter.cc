#include "sql/lag_meter.h"

#include "core/panic.h"

namespace sql {

void LagMeter::note(const mysql::GtidPosition& written, core::Instant now) {
    if (!marks_.empty()) {
        ASSERT(marks_.back().last_seen <= now);
    }
    if (!marks_.empty() && marks_.back().written == written) {
        marks_.back().last_seen = now;
        return;
    }
    if (marks_.size() == kMarksMax) {
        marks_.pop_front();
    }
    marks_.push_back({.last_seen = now, .written = written});
}

std::optional<core::Duration> LagMeter::lag(const mysql::GtidPosition& applied, core::Instant now) const {
    for (auto mark = marks_.rbegin(); mark != marks_.rend(); ++mark) {
        if (!applied.covers(mark->written)) {
            continue;
        }
        return mark == marks_.rbegin() ? core::Duration::zero() : now - mark->last_seen;
    }
    return std::nullopt;
}

}  // namespace sql
