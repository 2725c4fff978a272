#include "sql/topology.h"

#include <algorithm>
#include <format>

#include "core/panic.h"

namespace sql {

namespace {

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (size_t at = 0; at < names.size(); ++at) {
        bool is_last = at + 1 == names.size();
        text += at == 0 ? "" : is_last ? " and " : ", ";
        text += names[at];
    }
    return text;
}

std::string seconds_text(core::Duration duration) {
    return std::format("{:.1f} s", std::chrono::duration<double>(duration).count());
}

bool is_replicating(const NodeSight& sight) {
    return std::ranges::any_of(sight.sources, [](const ReplicationSource& source) {
        return source.receiver != ThreadState::stopped;
    });
}

std::string source_text(const ReplicationSource& source) {
    if (source.server_id == 0) {
        return source.address;
    }
    return std::format("{} (server id {})", source.address, source.server_id);
}

std::string with_error(std::string sentence, const ReplicationSource& source) {
    return source.error.empty() ? sentence : sentence + ": " + source.error;
}

}  // namespace

Topology::Topology(const TopologyConfig& config) : config_(config), records_(config.members.size()) {
    for (const TopologyConfig::Member& member : config.members) {
        nodes_.push_back({
            .address = member.address,
            .name = member.name,
            .configured_weight = member.weight,
            .override = member.override,
            .generation = member.generation,
        });
    }
    primary_why_ = why_no_primary();
}

std::vector<TopologyChange> Topology::on_look(size_t place, const Look& look, core::Instant now) {
    ASSERT(place < nodes_.size());
    std::vector<Node> before = nodes_;
    std::optional<size_t> primary_before = primary_;
    std::string why_before = primary_why_;
    take_look(place, look);
    choose_primary(now);
    if (primary_ == place && look && look->written) {
        meter_.note(*look->written, now);
    }
    for (size_t each = 0; each < nodes_.size(); ++each) {
        judge(each, now);
    }
    return changes(before, primary_before, why_before);
}

void Topology::on_applied(size_t place, const mysql::GtidPosition& applied) {
    ASSERT(place < nodes_.size());
    nodes_[place].applied = applied;
    if (records_[place].sight) {
        records_[place].sight->applied = applied;
    }
}

void Topology::take_look(size_t place, const Look& look) {
    Record& record = records_[place];
    Node& node = nodes_[place];
    record.was_asked = true;
    if (!look) {
        ++record.failures;
        record.good_looks = 0;
        record.failure = look.error().sentence;
        if (look.error().kind == core::ErrorKind::refused || record.failures >= config_.fall) {
            record.is_given_up = true;
        }
        return;
    }
    bool has_restarted =
        record.sight && (look->uptime < record.sight->uptime || look->server_id != record.sight->server_id);
    if (has_restarted) {
        ++node.generation;
    }
    record.sight = *look;
    record.failure.clear();
    record.failures = 0;
    record.is_given_up = false;
    ++record.good_looks;
    node.version = look->version;
    node.server_id = look->server_id;
    node.applied = look->applied.value_or(mysql::GtidPosition());
}

bool Topology::is_seen(size_t place) const {
    return records_[place].sight.has_value() && !records_[place].is_given_up;
}

bool Topology::is_writable(size_t place) const {
    if (!is_seen(place)) {
        return false;
    }
    const NodeSight& sight = *records_[place].sight;
    return !sight.is_read_only && !is_replicating(sight);
}

std::vector<TopologyChange> Topology::appoint(
    const std::optional<net::Address>& primary,
    std::string why_none,
    core::Instant now
) {
    std::vector<Node> before = nodes_;
    std::optional<size_t> primary_before = primary_;
    std::string why_before = primary_why_;
    appointed_ = primary;
    appointed_why_ = std::move(why_none);
    choose_primary(now);
    for (size_t each = 0; each < nodes_.size(); ++each) {
        judge(each, now);
    }
    return changes(before, primary_before, why_before);
}

std::optional<size_t> Topology::found_primary() const {
    if (config_.is_appointed) {
        for (size_t place = 0; place < nodes_.size(); ++place) {
            if (appointed_ == nodes_[place].address && is_writable(place)) {
                return place;
            }
        }
        return std::nullopt;
    }
    std::vector<size_t> writable;
    for (size_t place = 0; place < nodes_.size(); ++place) {
        if (is_writable(place)) {
            writable.push_back(place);
        }
    }
    // One that was not asked yet may be writable as well.
    bool was_each_asked = std::ranges::all_of(records_, &Record::was_asked);
    bool is_one = writable.size() == 1 && (was_each_asked || primary_ == writable.front());
    return is_one ? std::optional(writable.front()) : std::nullopt;
}

void Topology::choose_primary(core::Instant now) {
    std::optional<size_t> chosen = found_primary();
    if (chosen != primary_) {
        if (primary_) {
            gone_primary_ = nodes_[*primary_].name;
            ++nodes_[*primary_].generation;
        }
        if (chosen) {
            ++nodes_[*chosen].generation;
            meter_.clear();
            meter_.note(records_[*chosen].sight->written.value_or(mysql::GtidPosition()), now);
        }
        primary_ = chosen;
    }
    primary_why_ = primary_ ? std::string() : why_no_primary();
}

std::string Topology::why_not_appointed() const {
    if (!appointed_) {
        return appointed_why_;
    }
    for (size_t place = 0; place < nodes_.size(); ++place) {
        if (nodes_[place].address == *appointed_) {
            return is_seen(place) ? nodes_[place].name + " is primary, and does not take writes yet"
                                  : std::format(
                                        "{} is primary, and does not answer ({})",
                                        nodes_[place].name,
                                        records_[place].failure
                                    );
        }
    }
    return appointed_->to_string() + " is primary, and no server that this router knows";
}

std::string Topology::why_no_primary() const {
    if (config_.is_appointed) {
        return why_not_appointed();
    }
    if (!std::ranges::all_of(records_, &Record::was_asked)) {
        return "not all nodes have been asked yet";
    }
    std::vector<std::string> writable;
    std::vector<std::string> silent;
    std::string writable_replica;
    size_t seen = 0;
    for (size_t place = 0; place < nodes_.size(); ++place) {
        const Record& record = records_[place];
        if (is_writable(place)) {
            writable.push_back(nodes_[place].name);
        }
        if (!is_seen(place)) {
            silent.push_back(std::format("{} does not answer ({})", nodes_[place].name, record.failure));
            continue;
        }
        ++seen;
        if (!record.sight->is_read_only && is_replicating(*record.sight)) {
            writable_replica = std::format(
                "{} is writable, but replicates from {}",
                nodes_[place].name,
                record.sight->sources.front().address
            );
        }
    }
    if (writable.size() > 1) {
        return joined(writable) +
               " are writable at the same time: none is trusted until all but one have "
               "read_only=1";
    }
    std::string silence = silent.empty() ? "" : "; " + joined(silent);
    if (seen == 0) {
        return "no node answers" + silence;
    }
    return (writable_replica.empty() ? "all nodes that answer are read-only" : writable_replica) + silence;
}

void Topology::judge(size_t place, core::Instant now) {
    const Record& record = records_[place];
    Node& node = nodes_[place];
    node.is_fit = false;
    node.lag.reset();
    node.why.clear();
    // What a node is worth depends on who is primary, which is open until all have been asked.
    bool is_open = !primary_ && !std::ranges::all_of(records_, &Record::was_asked);
    if (!record.was_asked || (is_open && is_seen(place))) {
        node.state = NodeState::checking;
        return;
    }
    if (!is_seen(place)) {
        node.state = record.is_given_up ? NodeState::unreachable : NodeState::checking;
        node.why = record.failure;
        records_[place].was_unfit = true;
        return;
    }
    if (primary_ == place) {
        node.state = NodeState::primary;
        return;
    }
    if (!record.sight->sources.empty()) {
        judge_replica(place, node, now);
        return;
    }
    node.state = NodeState::unfit;
    node.why = record.sight->is_read_only ? "is read-only and replicates from nobody"
                                          : "is writable, and not the only one";
}

void Topology::judge_replica(size_t place, Node& node, core::Instant now) {
    Record& record = records_[place];
    const ReplicationSource& source = *leading_source(place);
    if (!leads_to_primary(source)) {
        node.state = NodeState::unfit;
        node.why = with_error(
            std::format("replicates from {}, which does not lead to the primary", source_text(source)),
            source
        );
        record.was_unfit = true;
        record.good_looks = 0;
        return;
    }
    node.state = NodeState::replica;
    node.lag = lag_of(place, source, now);
    if (primary_) {
        record.is_lag_good = node.lag && *node.lag <= config_.max_lag;
    }
    node.why = why_not_fit(place, source);
    if (!node.why.empty()) {
        record.was_unfit = true;
        record.good_looks = 0;
        return;
    }
    if (record.was_unfit && record.good_looks < config_.rise) {
        node.why = std::format("is well again, for {} of {} looks", record.good_looks, config_.rise);
        return;
    }
    record.was_unfit = false;
    node.is_fit = true;
}

std::string Topology::why_not_fit(size_t place, const ReplicationSource& source) {
    const Record& record = records_[place];
    if (record.failures != 0) {
        return "did not answer the last look: " + record.failure;
    }
    if (source.applier == ThreadState::stopped) {
        return with_error("its applier (Slave_SQL_Running) is stopped", source);
    }
    if (primary_ && source.receiver == ThreadState::stopped) {
        return with_error("its receiver (Slave_IO_Running) is stopped", source);
    }
    if (record.is_lag_good) {
        return {};
    }
    const std::optional<core::Duration>& lag = nodes_[place].lag;
    if (!primary_) {
        return "lagged when the primary was last seen";
    }
    if (!lag) {
        return with_error("its lag is not known", source);
    }
    return std::format("lags {}, more than {}", seconds_text(*lag), core::format_duration(config_.max_lag));
}

// Both a heartbeat and positions give upper bounds; Seconds_Behind_Master alone counts where these say
// nothing.
std::optional<core::Duration> Topology::lag_of(
    size_t place,
    const ReplicationSource& source,
    core::Instant now
) const {
    const NodeSight& sight = *records_[place].sight;
    std::optional<core::Duration> lag = sight.beat_age;
    if (sight.applied) {
        std::optional<core::Duration> by_position = meter_.lag(*sight.applied, now);
        if (by_position && (!lag || *by_position < *lag)) {
            lag = by_position;
        }
    }
    return lag ? lag : source.behind;
}

std::optional<size_t> Topology::place_of(const ReplicationSource& source) const {
    for (size_t place = 0; place < nodes_.size(); ++place) {
        bool is_known = source.server_id != 0 && records_[place].sight;
        bool is_same = is_known ? nodes_[place].server_id == source.server_id
                                : nodes_[place].address.to_string() == source.address;
        if (is_same) {
            return place;
        }
    }
    return std::nullopt;
}

const ReplicationSource* Topology::leading_source(size_t place) const {
    const std::vector<ReplicationSource>& sources = records_[place].sight->sources;
    auto leading = std::ranges::find_if(sources, [this](const ReplicationSource& source) {
        return leads_to_primary(source);
    });
    return leading != sources.end() ? &*leading : &sources.front();
}

// Also from replica to replica. Without a primary it is enough to follow one of the nodes.
bool Topology::leads_to_primary(const ReplicationSource& source) const {
    std::optional<size_t> at = place_of(source);
    if (!primary_) {
        return at.has_value();
    }
    for (size_t hops = 0; at && hops < nodes_.size(); ++hops) {
        if (at == primary_) {
            return true;
        }
        const std::optional<NodeSight>& sight = records_[*at].sight;
        std::optional<size_t> next;
        for (size_t each = 0; sight && !next && each < sight->sources.size(); ++each) {
            next = place_of(sight->sources[each]);
        }
        at = next;
    }
    return false;
}

}  // namespace sql
