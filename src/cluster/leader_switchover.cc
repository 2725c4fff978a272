// The leader's planned move of the primary: done in one go, in which nothing else is decided; undone where a
// step fails before the new epoch is recorded, finished by the usual decisions where one fails after that.
#include <format>

#include "cluster/leader.h"
#include "cluster/statements.h"

namespace cluster {

using core::ErrorKind;
using core::fail;
using core::Result;
using runtime::Task;
using upstream::Gate;
using upstream::Standing;
using upstream::Topology;

namespace {

// A write waits for the sum of these at most, and of the steps themselves.
constexpr core::Duration kConfirmTime = std::chrono::milliseconds(500);
constexpr core::Duration kTransactionTime = std::chrono::milliseconds(1500);
constexpr core::Duration kNudgeAfter = std::chrono::milliseconds(200);
constexpr core::Duration kShortOrder = std::chrono::seconds(2);
constexpr core::Duration kAckerTime = std::chrono::seconds(2);
constexpr core::Duration kPoll = std::chrono::milliseconds(5);
// InnoDB answers from a copy until it was not asked for 100 ms.
constexpr core::Duration kTransactionsPoll = std::chrono::milliseconds(110);
// What was on its way when the last router confirmed has arrived, and most of it has ended.
constexpr core::Duration kArrivalTime = std::chrono::milliseconds(10);
constexpr unsigned kApplySeconds = 1;

// A write that hangs must not make it hang; the state is unchanged then.
constexpr std::string_view kCloseStatements = "SET lock_wait_timeout = 1;SET GLOBAL read_only = 1";
constexpr std::string_view kTransactionsStatement =
    "SELECT COUNT(*) AS running, COALESCE(GROUP_CONCAT(DISTINCT CONCAT(command, ' ', COALESCE(state, ''))), "
    "'') "
    "AS states FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = "
    "trx_mysql_thread_id WHERE user NOT LIKE 'trilith\\_%' AND user <> 'system user'";

// Not what is being committed: it ends by itself, and killed it would end in doubt.
constexpr std::string_view kKillableStatement =
    "SELECT trx_mysql_thread_id AS id FROM information_schema.innodb_trx JOIN information_schema.processlist "
    "ON id = trx_mysql_thread_id WHERE user NOT LIKE 'trilith\\_%' AND user <> 'system user' AND "
    "COALESCE(state, '') NOT IN ('Commit', 'Writing to binlog', 'Waiting for semi-sync ACK from slave') "
    "LIMIT 500";

const std::string* single_value(
    const mariadb::ServerResult<mariadb::QueryAnswer>& answer,
    std::string_view column
) {
    bool is_one = answer && !answer->results.empty() && answer->results.back().rows.size() == 1;
    return is_one ? answer->results.back().value(0, column) : nullptr;
}

}  // namespace

// Records a change in the present epoch or the next; topology_ is what is recorded then.
Result<void> Leader::record(Topology next, const std::string& sentence) {
    TRY_VOID(store_.replace(std::move(next), topology_.version, sentence));
    TRY(topology_, store_.read());
    log_.info("database", sentence, {{"epoch", std::to_string(topology_.epoch)}});
    return {};
}

Task<void> Leader::switch_over() {
    std::string target = order_->server;
    core::Instant began = reactor_.now();
    std::string old = topology_.primary;
    auto moved = co_await move_primary(target);
    if (!moved) {
        end_order(fail(std::move(moved).error()));
        co_return;
    }
    end_order(std::format(
        "{} is primary in the place of {}, after {} ms without writes",
        target,
        old,
        std::chrono::duration_cast<std::chrono::milliseconds>(reactor_.now() - began).count()
    ));
}

Task<Result<void>> Leader::move_primary(const std::string& target) {
    std::string old = topology_.primary;
    Topology held = topology_;
    held.gate = Gate::held;
    held.move = target;
    CO_TRY_VOID(record(std::move(held), std::format("the primary is moved from {} to {}", old, target)));
    auto position = co_await quiesce(old, target);
    if (!position) {
        [[maybe_unused]] auto opened = co_await tell(old, std::string(kOpenStatements), kShortOrder);
        Topology undone = topology_;
        undone.gate = Gate::open;
        undone.move.clear();
        [[maybe_unused]] auto recorded = record(std::move(undone), old + " stays primary");
        co_return fail(std::move(position).error());
    }
    co_return co_await hand_over(old, target, *position);
}

// Until no transaction of a client runs at `old` any more; with an order that kills, those that do not end by
// themselves are ended.
Task<Result<void>> Leader::await_transactions(const std::string& old) {
    bool may_kill = order_ && order_->kills;
    core::Instant deadline = reactor_.now() + kTransactionTime;
    core::Instant nudge_at = reactor_.now() + kNudgeAfter;
    for (;;) {
        auto answer = co_await line_of(old).order(std::string(kTransactionsStatement), kShortOrder);
        const std::string* running = single_value(answer, "running");
        if (running != nullptr && *running == "0") {
            co_return Result<void>{};
        }
        bool is_late = reactor_.now() >= deadline;
        if (is_late && may_kill) {
            may_kill = false;
            deadline = reactor_.now() + kTransactionTime;
            co_await kill_transactions(old);
            continue;
        }
        if (running == nullptr || is_late) {
            co_return fail(
                ErrorKind::timed_out,
                running == nullptr
                    ? old + " does not tell what runs there"
                    : std::format(
                          "transactions at {} do not end ({}: {}): let them, and try again, or end "
                          "them with --kill",
                          old,
                          *running,
                          *single_value(answer, "states")
                      )
            );
        }
        if (co_await reactor_.sleep_for(kTransactionsPoll) != runtime::Outcome::ready) {
            co_return fail(ErrorKind::cancelled, "the leader stops");
        }
        if (reactor_.now() >= nudge_at) {
            // What waits for an acknowledgement that was lost is acknowledged with it.
            [[maybe_unused]] auto nudged = co_await nudge(old, kNudgeAfter);
            nudge_at = reactor_.now() + kNudgeAfter;
        }
    }
}

Task<void> Leader::kill_transactions(const std::string& old) {
    auto running = co_await line_of(old).order(std::string(kKillableStatement), kShortOrder);
    if (!running || running->results.size() != 1) {
        co_return;
    }
    const mariadb::QueryResult& found = running->results.front();
    log_.warn(
        "database",
        "transactions that do not end are ended for the switchover",
        {{"server", old}, {"count", std::to_string(found.rows.size())}}
    );
    for (size_t row = 0; row < found.rows.size(); ++row) {
        if (const std::string* id = found.value(row, "id")) {
            // It may have ended by itself.
            [[maybe_unused]] auto killed = co_await line_of(old).order("KILL CONNECTION " + *id, kShortOrder);
        }
    }
}

// Until nothing is written at `old` any more and `target` has it all: the position.
Task<Result<std::string>> Leader::quiesce(const std::string& old, const std::string& target) {
    core::Instant deadline = reactor_.now() + kConfirmTime;
    while (!store_.unconfirmed(topology_.version).empty() && reactor_.now() < deadline) {
        if (co_await reactor_.sleep_for(kPoll) != runtime::Outcome::ready) {
            co_return fail(ErrorKind::cancelled, "the leader stops");
        }
    }
    if (co_await reactor_.sleep_for(kArrivalTime) != runtime::Outcome::ready) {
        co_return fail(ErrorKind::cancelled, "the leader stops");
    }
    CO_TRY_VOID(co_await await_transactions(old));
    CO_TRY_VOID(co_await tell(old, std::string(kCloseStatements), kShortOrder));
    auto answer = co_await line_of(old).order(std::string(kPositionStatement), kShortOrder);
    const std::string* written = single_value(answer, "written");
    if (written == nullptr) {
        co_return fail(ErrorKind::io, old + " does not tell its position");
    }
    std::string position = *written;
    auto reached =
        co_await line_of(target).order(await_position_statement(position, kApplySeconds), kShortOrder);
    const std::string* outcome = single_value(reached, "outcome");
    if (outcome == nullptr || *outcome != "0") {
        co_return fail(ErrorKind::timed_out, std::format("{} does not reach {} in time", target, position));
    }
    co_return position;
}

Task<Result<void>> Leader::hand_over(
    const std::string& old,
    const std::string& target,
    const std::string& position
) {
    Topology next = topology_;
    ++next.epoch;
    next.primary = target;
    next.floor = position;
    bool is_lossless = next.durability == upstream::Durability::lossless;
    next.set_standing(old, is_lossless ? Standing::acker : Standing::bystander);
    next.set_standing(target, Standing::primary);
    CO_TRY_VOID(record(
        std::move(next),
        std::format("{} is primary from epoch {} on, as ordered", target, topology_.epoch + 1)
    ));
    auto done = co_await attach_others(target, is_lossless);
    if (done) {
        done = co_await tell(target, std::string(kOpenStatements), kShortOrder);
    }
    // What is left to do is done by the usual decisions.
    Topology open = topology_;
    open.gate = Gate::open;
    open.move.clear();
    auto recorded = record(std::move(open), "the routers go on");
    if (!done) {
        co_return fail(std::move(done).error());
    }
    co_return std::move(recorded);
}

Task<Result<void>> Leader::attach_others(const std::string& target, bool is_lossless) {
    CO_TRY_VOID(co_await tell(target, promote_statements(is_lossless), kShortOrder));
    runtime::TaskGroup orders(reactor_, lines_.size());
    for (auto& line : lines_) {
        const std::string& server = line->place().server;
        bool is_acker = topology_.standing_of(server) == Standing::acker && line->view().server != target;
        if (is_acker) {
            orders.spawn(follow_quietly(server, target));
        }
    }
    core::Instant deadline = reactor_.now() + kAckerTime;
    bool has_acker = !is_lossless;
    while (!has_acker && reactor_.now() < deadline) {
        View view = line_of(target).view();
        has_acker = view.sight && view.sight->ackers > 0;
        line_of(target).look_soon();
        if (!has_acker && co_await reactor_.sleep_for(kPoll) != runtime::Outcome::ready) {
            break;
        }
    }
    co_await orders.join();
    if (!has_acker) {
        co_return fail(ErrorKind::timed_out, "no replica acknowledges the writes of " + target + " yet");
    }
    co_return Result<void>{};
}

Task<void> Leader::follow_quietly(std::string server, std::string source) {
    auto done = co_await tell(
        server,
        follow_statements(line_of(source).place().database, secrets_.replica, Acknowledging::yes),
        kShortOrder
    );
    if (!done) {
        log_.warn("database", server + " does not follow yet", {{"reason", done.error().context()}});
    }
}

}  // namespace cluster
