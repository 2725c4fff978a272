// What the watch does at the primary: reads the accounts there, and writes the heartbeat.
#include <format>

#include "sql/account_import.h"
#include "sql/node_look.h"
#include "sql/server_watch.h"

namespace sql {

namespace {

constexpr core::Duration kImportInterval = std::chrono::seconds(10);
constexpr core::Duration kImportGap = std::chrono::seconds(1);
constexpr core::Duration kImportTimeout = std::chrono::seconds(10);
// One write that hangs is enough.
constexpr core::Duration kBeatTimeout = std::chrono::seconds(60);
constexpr core::Duration kBeatRetry = std::chrono::seconds(60);

}  // namespace

// Until the fiber is stopped.
runtime::Task<void> ServerWatch::keep_accounts() {
    std::optional<NodeProbe> probe;
    std::optional<size_t> probed;
    for (;;) {
        core::Duration pause = kImportInterval;
        if (std::optional<size_t> primary = topology_.primary()) {
            const Node& node = topology_.nodes()[*primary];
            if (probed != primary) {
                probe.emplace(reactor_, shared_buffer_, node.address);
                probed = primary;
            }
            std::string name = node.name;
            auto list = co_await import_accounts(*probe, account_, reactor_.now() + kImportTimeout);
            if ((co_await runtime::CurrentFiber{}).is_stopped) {
                break;
            }
            pause = list ? kImportInterval : kImportGap;
            take_accounts(name, std::move(list));
            if (co_await reactor_.sleep_for(kImportGap) == runtime::Outcome::cancelled) {
                break;
            }
        }
        if (co_await import_wanted_.wait(reactor_.now() + pause) == runtime::Outcome::cancelled) {
            break;
        }
    }
    if (probe) {
        probe->close();
    }
}

void ServerWatch::take_accounts(const std::string& name, core::Result<AccountList> list) {
    if (!list) {
        std::string why =
            std::format("the accounts cannot be read from {}: {}", name, list.error().context());
        if (why != accounts_why_) {
            log_.warn("sql", why);
        }
        accounts_why_ = std::move(why);
        publish();
        return;
    }
    bool is_news = !accounts_why_.empty() || *list != *accounts_;
    accounts_why_.clear();
    if (!is_news) {
        return;
    }
    size_t count = list->accounts().size();
    accounts_ = std::make_shared<const AccountList>(std::move(*list));
    log_.info("sql", "accounts read from " + name, {{"accounts", std::to_string(count)}});
    publish();
}

// Until the fiber is stopped. Over a connection of its own: a write may wait for long where the primary waits
// for a replica's word or a lock, and that says nothing of the primary's health.
runtime::Task<void> ServerWatch::keep_heartbeat() {
    std::optional<NodeProbe> probe;
    std::optional<size_t> probed;
    for (;;) {
        core::Duration pause = config_.interval;
        std::optional<size_t> primary = topology_.primary();
        if (primary && probed != primary) {
            if (beaten_ != topology_.nodes()[*primary].address) {
                heartbeat_.clear();
                beaten_ = topology_.nodes()[*primary].address;
            }
            probe.emplace(reactor_, shared_buffer_, topology_.nodes()[*primary].address);
            probed = primary;
        }
        if (primary) {
            pause = co_await write_beat(*probe);
        }
        if (co_await reactor_.sleep_until(reactor_.housekeeping_in(pause)) == runtime::Outcome::cancelled) {
            break;
        }
    }
    if (probe) {
        probe->close();
    }
}

// Gives the pause until the next beat.
runtime::Task<core::Duration> ServerWatch::write_beat(NodeProbe& probe) {
    core::Instant sent = reactor_.now();
    ServerResult<QueryAnswer> answer =
        co_await probe.ask(account_, heartbeat_.next_text(), sent + kBeatTimeout);
    if (!answer && answer.error().number == kErrorNoSuchTable) {
        answer =
            co_await probe.ask(account_, std::string(Heartbeat::kCreateText), reactor_.now() + kBeatTimeout);
        if (answer) {
            co_return core::Duration::zero();
        }
    }
    if (answer) {
        heartbeat_.on_written(sent);
        note_heartbeat(HeartbeatState::beats, {});
        co_return config_.interval;
    }
    // An account that may not write is told so at each try; other errors pass, as that of a primary on its
    // way to be none.
    bool is_refused = answer.error().number == mysql::kErrorDatabaseAccessDenied ||
                      answer.error().number == mysql::kErrorUnknownDatabase ||
                      answer.error().number == kErrorTableAccessDenied;
    if (!is_refused) {
        co_return config_.interval;
    }
    note_heartbeat(HeartbeatState::refused, failure_text(answer.error()));
    co_return kBeatRetry;
}

void ServerWatch::note_heartbeat(HeartbeatState state, const std::string& why) {
    if (state == heartbeat_state_) {
        return;
    }
    heartbeat_state_ = state;
    if (state == HeartbeatState::beats) {
        log_.info("sql", "lag is measured by a heartbeat in trilith.heartbeat and by GTID positions");
    } else {
        log_.info(
            "sql",
            "lag is measured by GTID positions and Seconds_Behind_Master: no heartbeat in trilith.heartbeat",
            {{"why", why}}
        );
    }
}

}  // namespace sql
