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

runtime::Task<DatabasePool::Taken> DatabasePool::take(Use use) {
    close_old();
    if (auto idle = take_idle(use)) {
        co_return idle;
    }
    if (open_ < settings_.options.connections_max) {
        ++open_;
        co_return co_await open();
    }
    if (auto idle = take_idle(use == Use::read ? Use::write : Use::read)) {
        co_return idle;
    }
    if (open_ < settings_.options.connections_max) {  // what was idle was closed
        ++open_;
        co_return co_await open();
    }
    co_return co_await wait_for_one();
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

// A place has been counted for it.
runtime::Task<DatabasePool::Taken> DatabasePool::open() {
    core::Instant deadline = now() + settings_.options.connect_time;
    auto opened =
        co_await mariadb::ServerConnection::open(shared_, reactor_, settings_.url.address, login(), deadline);
    if (!opened) {
        free_place();
        if (opened.error().kind == core::ErrorKind::timed_out) {
            opened.error().kind = core::ErrorKind::refused;  // nothing was done
        }
        co_return std::unexpected(std::move(opened).error());
    }
    co_return std::make_unique<PooledConnection>(*std::move(opened), settings_.options.statements_max);
}

runtime::Task<DatabasePool::Taken> DatabasePool::wait_for_one() {
    if (waiting_.size() >= settings_.options.queue_max) {
        co_return pool_failure(
            core::ErrorKind::exhausted,
            "too many requests wait for a connection to the database"
        );
    }
    Waiting waiting(reactor_);
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
            free_place();
        }
        co_return pool_failure(core::ErrorKind::cancelled, "the request is over");
    }
    if (waiting.given != nullptr) {
        co_return std::move(waiting.given);
    }
    if (waiting.may_open) {
        co_return co_await open();
    }
    co_return pool_failure(
        core::ErrorKind::exhausted,
        std::format("all {} connections to the database are busy", settings_.options.connections_max)
    );
}

void DatabasePool::give_back(std::unique_ptr<PooledConnection> connection) {
    if (!waiting_.empty()) {
        Waiting& first = *waiting_.front();
        waiting_.pop_front();
        first.given = std::move(connection);
        first.event.set();
        return;
    }
    connection->idle_since = now();
    idle_.push_back(std::move(connection));
}

void DatabasePool::drop(std::unique_ptr<PooledConnection> connection) {
    connection.reset();
    free_place();
}

// The place of a connection that is gone goes to the first who waits.
void DatabasePool::free_place() {
    ASSERT(open_ > 0);
    if (waiting_.empty()) {
        --open_;
        return;
    }
    Waiting& first = *waiting_.front();
    waiting_.pop_front();
    first.may_open = true;
    first.event.set();
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
