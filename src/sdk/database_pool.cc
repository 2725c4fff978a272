#include "sdk/database_pool.h"

#include <algorithm>
#include <format>
#include <utility>

#include "core/panic.h"

namespace trilith::sdk {

namespace {

// Session tracking tells the position of each write; see StatementResult::last_gtid.
constexpr mysql::Capabilities kDatabaseWants = mysql::kDeprecateEof | mysql::kSessionTrack |
                                               mysql::kTransactions | mysql::kLongFlag |
                                               mysql::kPreparedMultiResults;
// program_name = trilith::app
constexpr std::string_view kDatabaseAttributes = "\x0cprogram_name\x0ctrilith::app";
// How long what runs in the background may take: it holds a connection.
constexpr core::Duration kBackgroundTime = std::chrono::seconds(5);
// The same when the program stops: it must end soon.
constexpr core::Duration kStopTime = std::chrono::seconds(1);
// Connections whose request is over and whose end is not there yet.
constexpr size_t kBackgroundMax = 64;

// Of so many connections, those that may write at a time: a quarter is left to reads.
uint32_t writing_max(uint32_t connections) {
    return connections == 1 ? 1 : connections - std::max(1U, connections / 4);
}

Use use_of(const PooledConnection& connection) {
    return connection.is_lent_to_write ? Use::write : Use::read;
}

std::unique_ptr<PooledConnection> lent(std::unique_ptr<PooledConnection> connection, Use use) {
    connection->is_lent_to_write = use == Use::write;
    return connection;
}

std::unexpected<mariadb::ServerFailure> pool_failure(core::ErrorKind kind, std::string sentence) {
    return std::unexpected(mariadb::ServerFailure{.kind = kind, .message = std::move(sentence)});
}

}  // namespace

DatabasePool::DatabasePool(
    runtime::Reactor& reactor,
    net::SharedReadBuffer& shared,
    core::Log& log,
    const DatabaseSettings& settings
)
    : reactor_(reactor), shared_(shared), log_(log), settings_(settings), chores_(reactor, kBackgroundMax) {}

DatabasePool::~DatabasePool() = default;

mariadb::ServerLogin DatabasePool::login() const {
    return {
        .user = settings_.url.user,
        .key = settings_.key ? &*settings_.key : nullptr,
        .database = settings_.url.database,
        .capabilities = kDatabaseWants,
        .connect_attributes = kDatabaseAttributes,
    };
}

bool DatabasePool::may_have(Use use) const {
    return use == Use::read || writing_ < writing_max(settings_.options.connections_max);
}

void DatabasePool::begin_use(Use use) { writing_ += use == Use::write ? 1 : 0; }

void DatabasePool::end_use(Use use) {
    ASSERT(use == Use::read || writing_ > 0);
    writing_ -= use == Use::write ? 1 : 0;
}

runtime::Task<DatabasePool::Taken> DatabasePool::take(Use use) {
    close_old();
    if (!may_have(use)) {
        co_return co_await wait_for_one(use);
    }
    begin_use(use);
    if (auto idle = take_idle(use)) {
        co_return lent(std::move(idle), use);
    }
    if (open_ < settings_.options.connections_max) {
        ++open_;
        co_return co_await open(use);
    }
    if (auto idle = take_idle(use == Use::read ? Use::write : Use::read)) {
        co_return lent(std::move(idle), use);
    }
    if (open_ < settings_.options.connections_max) {  // what was idle was closed
        ++open_;
        co_return co_await open(use);
    }
    end_use(use);
    co_return co_await wait_for_one(use);
}

// The one that was used last, of those that have written or of those that have not. One that its server has
// closed meanwhile is not lent.
std::unique_ptr<PooledConnection> DatabasePool::take_idle(Use use) {
    for (size_t at = idle_.size(); at-- > 0;) {
        if (idle_[at]->has_written != (use == Use::write)) {
            continue;
        }
        std::unique_ptr<PooledConnection> connection = std::move(idle_[at]);
        idle_.erase(idle_.begin() + static_cast<ptrdiff_t>(at));
        if (connection->is_quiet()) {
            return connection;
        }
        --open_;
    }
    return nullptr;
}

// A place has been counted for it, and its use.
runtime::Task<DatabasePool::Taken> DatabasePool::open(Use use) {
    core::Instant deadline = now() + settings_.options.connect_time;
    auto opened =
        co_await mariadb::ServerConnection::open(shared_, reactor_, settings_.url.address, login(), deadline);
    if (!opened) {
        free_place(use);
        if (opened.error().kind == core::ErrorKind::timed_out) {
            opened.error().kind = core::ErrorKind::refused;  // nothing was done
        }
        co_return std::unexpected(std::move(opened).error());
    }
    auto connection =
        std::make_unique<PooledConnection>(*std::move(opened), settings_.options.statements_max);
    co_return lent(std::move(connection), use);
}

runtime::Task<DatabasePool::Taken> DatabasePool::wait_for_one(Use use) {
    if (waiting_.size() >= settings_.options.queue_max) {
        co_return pool_failure(
            core::ErrorKind::exhausted,
            "too many requests wait for a connection to the database"
        );
    }
    uint32_t connections = settings_.options.connections_max;
    Waiting waiting(reactor_, use);
    waiting_.push_back(&waiting);
    runtime::Outcome outcome = co_await waiting.event.wait(now() + settings_.options.queue_time);
    bool was_served = waiting.given != nullptr || waiting.may_open;
    if (!was_served) {
        waiting_.erase(std::ranges::find(waiting_, &waiting));
    }
    if (outcome == runtime::Outcome::cancelled) {
        if (waiting.given != nullptr) {
            give_back(std::move(waiting.given));
        } else if (waiting.may_open) {
            free_place(use);
        }
        co_return pool_failure(core::ErrorKind::cancelled, "the request is over");
    }
    if (waiting.given != nullptr) {
        co_return std::move(waiting.given);
    }
    if (waiting.may_open) {
        co_return co_await open(use);
    }
    co_return pool_failure(
        core::ErrorKind::exhausted,
        use == Use::read || connections == 1
            ? std::format("all {} connections to the database are busy", connections)
            : std::format(
                  "all {} connections to the database that may write are busy",
                  writing_max(connections)
              )
    );
}

void DatabasePool::give_back(std::unique_ptr<PooledConnection> connection) {
    end_use(use_of(*connection));
    connection->is_lent_to_write = false;
    if (Waiting* next = next_waiting()) {
        begin_use(next->use);
        next->given = lent(std::move(connection), next->use);
        next->event.set();
        return;
    }
    connection->idle_since = now();
    idle_.push_back(std::move(connection));
}

void DatabasePool::drop(std::unique_ptr<PooledConnection> connection) {
    Use use = use_of(*connection);
    connection.reset();
    free_place(use);
}

// The place of a connection that is gone goes to the first who waits and may have it.
void DatabasePool::free_place(Use use) {
    ASSERT(open_ > 0);
    end_use(use);
    Waiting* next = next_waiting();
    if (next == nullptr) {
        --open_;
        return;
    }
    begin_use(next->use);
    next->may_open = true;
    next->event.set();
}

// The first who may have a connection now, no longer in the queue; null: none.
DatabasePool::Waiting* DatabasePool::next_waiting() {
    auto found = std::ranges::find_if(waiting_, [this](const Waiting* each) { return may_have(each->use); });
    if (found == waiting_.end()) {
        return nullptr;
    }
    Waiting* next = *found;
    waiting_.erase(found);
    return next;
}

void DatabasePool::close_old() {
    core::Instant now = this->now();
    auto is_old = [&](const auto& connection) {
        return now - connection->idle_since > settings_.options.idle_time;
    };
    // The oldest come first.
    while (!idle_.empty() && is_old(idle_.front())) {
        idle_.front()->server().quit();
        idle_.erase(idle_.begin());
        --open_;
    }
}

void DatabasePool::kill(std::unique_ptr<PooledConnection> connection) {
    if (!chores_.has_room()) {
        log_.warn("app", "too many statements to kill at once: a connection is closed without");
        drop(std::move(connection));
        return;
    }
    chores_.spawn(run_kill(std::move(connection)));
}

runtime::Task<void> DatabasePool::run_kill(std::unique_ptr<PooledConnection> connection) {
    core::Instant deadline = now() + kBackgroundTime;
    auto killer =
        co_await mariadb::ServerConnection::open(shared_, reactor_, settings_.url.address, login(), deadline);
    if (killer) {
        std::string text = std::format("KILL QUERY {}", connection->server().thread_id());
        auto killed = co_await (*killer)->query(std::move(text), deadline);
        // That it has ended by itself meanwhile is no failure.
        if (!killed && killed.error().number != mysql::kErrorNoSuchThread) {
            log_.warn("app", "cannot kill a statement", {{.key = "reason", .value = killed.error().message}});
        }
        (*killer)->quit();
    } else {
        log_.warn("app", "cannot kill a statement", {{.key = "reason", .value = killer.error().message}});
    }
    drop(std::move(connection));
}

void DatabasePool::roll_back(std::unique_ptr<PooledConnection> connection) {
    // A connection that is closed is rolled back by its server.
    if (!chores_.has_room()) {
        drop(std::move(connection));
        return;
    }
    chores_.spawn(run_roll_back(std::move(connection)));
}

runtime::Task<void> DatabasePool::run_roll_back(std::unique_ptr<PooledConnection> connection) {
    auto rolled = co_await connection->say("ROLLBACK", now() + kBackgroundTime, mariadb::OnInterrupt::stop);
    if (rolled) {
        give_back(std::move(connection));
    } else {
        drop(std::move(connection));
    }
}

void DatabasePool::finish(std::unique_ptr<PooledConnection> connection, core::Instant deadline) {
    if (!chores_.has_room()) {
        drop(std::move(connection));
        return;
    }
    chores_.spawn(run_finish(std::move(connection), deadline));
}

// Whatever comes, until the answer begins: then it is done.
runtime::Task<void> DatabasePool::run_finish(
    std::unique_ptr<PooledConnection> connection,
    core::Instant deadline
) {
    mariadb::ServerConnection& server = connection->server();
    if (server.buffer().is_empty()) {
        [[maybe_unused]] ssize_t received = co_await server.socket().receive(server.buffer(), deadline);
    }
    drop(std::move(connection));
}

runtime::Task<void> DatabasePool::close() {
    ASSERT(waiting_.empty());
    co_await chores_.join(now() + kStopTime);
    for (auto& connection : idle_) {
        connection->server().quit();
    }
    open_ -= static_cast<uint32_t>(idle_.size());
    idle_.clear();
}

}  // namespace trilith::sdk
