// What the leader watches beside its decisions: how long a write takes, and whether the servers still run
// with the settings that are ours. Both are told, and decide nothing.
#include <format>

#include "cluster/leader.h"
#include "cluster/settings.h"
#include "cluster/statements.h"

namespace cluster {

using runtime::Outcome;
using runtime::Task;

namespace {

constexpr core::Duration kProbeInterval = std::chrono::seconds(1);
constexpr core::Duration kProbeTime = std::chrono::seconds(5);
constexpr core::Duration kSettingsInterval = std::chrono::seconds(5);
constexpr core::Duration kSettingsTime = std::chrono::seconds(2);
// A write that takes longer is told of.
constexpr core::Duration kSlowWrite = std::chrono::seconds(1);

std::string milliseconds_of(core::Duration duration) {
    return std::format("{} ms", std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

// Not where it would wait for a replica that is not there: such a write stays, whoever began it.
bool Leader::is_write_expected() const {
    if (topology_.epoch == 0 || topology_.gate == upstream::Gate::held || order_) {
        return false;
    }
    const Observation seen = observe();
    const View* primary = seen.find(topology_.primary);
    return primary != nullptr && primary->sight && !primary->sight->is_read_only &&
           primary->sight->parked == 0 && (!primary->sight->is_armed || primary->sight->ackers > 0);
}

Task<void> Leader::probe_writes() {
    while (co_await reactor_.sleep_until(reactor_.housekeeping_in(kProbeInterval)) == Outcome::ready) {
        if (!is_write_expected()) {
            probe_ = {};
            continue;
        }
        std::string server = topology_.primary;
        core::Instant began = reactor_.now();
        probe_.began = began;
        auto written = co_await line_of(server).try_write(
            write_statements(kProbeRow, topology_.epoch, server),
            kProbeTime
        );
        probe_.began = core::Instant::never();
        probe_.took = reactor_.now() - began;
        bool is_good = written && !written->failure && probe_.took < kSlowWrite;
        if (is_good != probe_.is_good) {
            probe_.is_good = is_good;
            std::string took = milliseconds_of(probe_.took);
            if (is_good) {
                log_.info("database", "writes are quick again", {{"server", server}, {"took", took}});
            } else {
                log_.warn(
                    "database",
                    "a write of one row takes long, or fails",
                    {{"server", server}, {"took", took}}
                );
            }
        }
    }
    for (auto& line : lines_) {
        line->end_writes();
    }
}

Task<void> Leader::watch_settings() {
    while (co_await reactor_.sleep_until(reactor_.housekeeping_in(kSettingsInterval)) == Outcome::ready) {
        for (auto& line : lines_) {
            const std::string& server = line->place().server;
            if (!line->view().sight) {
                continue;
            }
            auto answer = co_await line->ask_apart(watched_settings_statement(), kSettingsTime);
            if (!answer || answer->failure || answer->results.size() != 1) {
                continue;
            }
            std::string drift = settings_drift(answer->results.front());
            if (drift != drift_[server] && !drift.empty()) {
                log_.warn(
                    "database",
                    "settings that are Trilith's were changed while running; the next start brings them back",
                    {{"server", server}, {"settings", drift}}
                );
            }
            drift_[server] = std::move(drift);
        }
    }
}

}  // namespace cluster
