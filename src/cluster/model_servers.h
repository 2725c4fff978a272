// For the tests: MariaDB servers as a model, with what real ones were seen to do that decides about losses:
// semi-synchronous commits that are parked, one group of them behind another that closes the binlog to all
// further ones, acknowledgements that are given once and may be lost, relay logs that a start of both threads
// deletes, tails that a start takes back or keeps, events of one's own server id that a replica leaves out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cluster/decide.h"
#include "cluster/settings.h"
#include "cluster/view.h"

namespace cluster {

// One transaction in a binlog: the numbers of its GTID, and which write it is.
struct ModelWrite {
    uint64_t sequence = 0;
    uint32_t server_id = 0;
    uint64_t write = 0;  // 0: one of the leader's own

    friend bool operator==(const ModelWrite&, const ModelWrite&) = default;
};

struct ModelServer {
    std::string name{};
    bool runs = false;
    bool is_stopped = false;    // SIGSTOP
    core::Duration ready_at{};  // until then it recovers, and answers nobody
    bool is_recovering = false;
    bool is_fenced = false;
    core::Duration starts_at{};  // when its agent starts it again
    uint32_t ends = 0;
    uint32_t server_id = 0;
    // On the disk.
    std::vector<ModelWrite> binlog{};
    size_t committed = 0;             // of binlog; the rest is parked, or was when it was killed
    std::vector<ModelWrite> relay{};  // received, not applied
    std::string source{};             // empty: none
    // Of a running one.
    bool is_read_only = true;
    bool is_armed = false;
    bool acknowledges = false;
    bool is_full = false;  // a group of commits waits, and a whole other one behind it
    bool receives = false;
    bool applies = false;
    uint32_t receiver_error = 0;
    uint64_t renewal = 0;  // for which its data were copied

    [[nodiscard]] bool is_alive() const { return runs && !is_stopped && !is_recovering; }
    [[nodiscard]] uint64_t written() const { return binlog.empty() ? 0 : binlog.back().sequence; }
    [[nodiscard]] uint64_t received() const { return relay.empty() ? written() : relay.back().sequence; }

    void kill() {
        runs = is_stopped = is_recovering = is_full = receives = applies = is_armed = acknowledges = false;
        is_read_only = true;
    }

    void start(StartRole role, uint32_t id) {
        runs = true;
        server_id = id;
        receiver_error = 0;
        if (role == StartRole::takes_back) {
            binlog.resize(committed);
        }
        committed = binlog.size();
    }

    // What was received and not applied is lost.
    void follow(const std::string& other, bool as_acker) {
        relay.clear();
        source = other;
        is_read_only = receives = applies = true;
        is_armed = false;
        acknowledges = as_acker;
        receiver_error = 0;
    }

    void promote(bool armed) {
        is_full = false;
        relay.clear();
        source.clear();
        receives = applies = acknowledges = false;
        is_armed = armed;
    }

    void disarm() {
        is_armed = is_full = false;
        committed = binlog.size();
    }

    // The place in the source's binlog behind all that this server has; none: it is not there.
    [[nodiscard]] std::optional<size_t> place_in(const std::vector<ModelWrite>& other) const {
        const std::vector<ModelWrite>& mine = relay.empty() ? binlog : relay;
        if (mine.empty()) {
            return size_t{0};
        }
        const ModelWrite& last = mine.back();
        auto found = std::ranges::lower_bound(other, last.sequence, {}, &ModelWrite::sequence);
        bool is_same =
            found != other.end() && found->sequence == last.sequence && found->server_id == last.server_id;
        return is_same ? std::optional(static_cast<size_t>(found - other.begin()) + 1) : std::nullopt;
    }

    // Takes up to `count` transactions from its source, and acknowledges them as they come: what came before
    // it acknowledged, or by a connection that broke, is acknowledged with what comes next.
    void receive(ModelServer& other, size_t count, bool is_acknowledgement_lost) {
        std::optional<size_t> at = place_in(other.binlog);
        if (!at) {
            receives = false;
            receiver_error = 1236;
            return;
        }
        bool brings = *at < other.binlog.size() && count > 0;
        for (; *at < other.binlog.size() && count > 0; ++*at, --count) {
            const ModelWrite& write = other.binlog[*at];
            if (write.server_id != server_id || acknowledges) {
                relay.push_back(write);
            } else {
                relay.push_back({.sequence = write.sequence, .server_id = write.server_id, .write = 0});
            }
        }
        if (brings && !is_acknowledgement_lost && acknowledges && other.is_armed) {
            while (other.committed < other.binlog.size() &&
                   other.binlog[other.committed].sequence <= received()) {
                ++other.committed;
                other.is_full = false;
            }
        }
    }

    void apply(size_t count) {
        count = std::min(count, relay.size());
        binlog.insert(binlog.end(), relay.begin(), relay.begin() + static_cast<ptrdiff_t>(count));
        relay.erase(relay.begin(), relay.begin() + static_cast<ptrdiff_t>(count));
        committed = source.empty() ? committed : binlog.size();
    }

    // Its data are put aside, and those that the source has committed copied; it is to be started with them.
    void renew(const ModelServer& from, uint64_t number) {
        kill();
        relay.clear();
        source.clear();
        binlog.assign(from.binlog.begin(), from.binlog.begin() + static_cast<ptrdiff_t>(from.committed));
        committed = binlog.size();
        renewal = number;
    }

    [[nodiscard]] GtidState state() const {
        std::map<uint32_t, uint64_t> last;
        for (const ModelWrite& write : binlog) {
            last[write.server_id] = write.sequence;
        }
        GtidState made;
        for (const auto& [id, sequence] : last) {
            made.push_back({.domain = 0, .server = id, .sequence = sequence});
        }
        return made;
    }

    [[nodiscard]] Sight sight(size_t ackers) const {
        auto position = [](uint64_t sequence) {
            mysql::GtidPosition made;
            if (sequence > 0) {
                static_cast<void>(made.merge({.domain = 0, .server = 1, .sequence = sequence}));
            }
            return made;
        };
        Sight sight{
            .is_read_only = is_read_only,
            .written = position(written()),
            .applied = position(written()),
            .server_id = server_id,
            .has_source = !source.empty(),
            .source = source,
            .receiver = receives ? Thread::running : Thread::stopped,
            .applier = applies ? Thread::running : Thread::stopped,
            .receiver_error = receiver_error,
            .received = position(received()),
            .is_armed = is_armed,
            .acknowledges = acknowledges,
        };
        sight.ackers = static_cast<uint32_t>(ackers);
        sight.parked = static_cast<uint32_t>(binlog.size() - committed);
        return sight;
    }
};

}  // namespace cluster
