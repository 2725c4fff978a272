// The connections of one thread to one database: lent to one request at a time, kept while they are idle.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "core/log.h"
#include "net/read_buffer.h"
#include "runtime/event.h"
#include "runtime/task_group.h"
#include "sdk/database_settings.h"
#include "sdk/pooled_connection.h"

namespace trilith::sdk {

// What a connection is taken for.
enum class Use : uint8_t { read, write };

class DatabasePool {
public:
    DatabasePool(
        runtime::Reactor& reactor,
        net::SharedReadBuffer& shared,
        core::Log& log,
        const DatabaseSettings& settings
    );
    ~DatabasePool();
    DatabasePool(const DatabasePool&) = delete;
    DatabasePool& operator=(const DatabasePool&) = delete;

    [[nodiscard]] const DatabaseSettings& settings() const { return settings_; }
    [[nodiscard]] core::Instant now() const { return reactor_.now(); }

    // An idle connection or a new one; a read gets one that has not written as long as there are others.
    // Writes never have all of them, so that pages are read while a primary that hangs keeps every form
    // waiting. Fails with `exhausted` when the queue is full or a place in it came to nothing in time,
    // `cancelled` when the fiber is interrupted, else as ServerConnection::open() does, with `refused` for
    // `timed_out`: nothing was done.
    [[nodiscard]] runtime::Task<mariadb::ServerResult<std::unique_ptr<PooledConnection>>> take(Use use);

    // Of a connection from take(), exactly one of these:
    // It is as it was: for whoever comes next.
    void give_back(std::unique_ptr<PooledConnection> connection);
    // It is broken, or nobody knows what it does.
    void drop(std::unique_ptr<PooledConnection> connection);
    // Its statement runs on and shall not: it is killed at the server, then the connection is closed.
    void kill(std::unique_ptr<PooledConnection> connection);
    // Its transaction is rolled back, then it is given back.
    void roll_back(std::unique_ptr<PooledConnection> connection);
    // Nobody waits for its answer any more, but what it does shall be done.
    void finish(std::unique_ptr<PooledConnection> connection, core::Instant deadline);

    // Ends all that runs in the background and closes what is idle. Nothing is lent any more.
    [[nodiscard]] runtime::Task<void> close();

    // Of connections, idle ones included.
    [[nodiscard]] uint32_t open_count() const { return open_; }

private:
    // One request in the queue; lives in its frame.
    struct Waiting {
        Waiting(runtime::Reactor& reactor, Use wanted) : event(reactor), use(wanted) {}

        runtime::Event event;
        Use use;
        std::unique_ptr<PooledConnection> given{};
        bool may_open = false;  // a place is counted for it
    };

    using Taken = mariadb::ServerResult<std::unique_ptr<PooledConnection>>;

    [[nodiscard]] std::unique_ptr<PooledConnection> take_idle(Use use);
    [[nodiscard]] runtime::Task<Taken> open(Use use);
    [[nodiscard]] runtime::Task<Taken> wait_for_one(Use use);
    [[nodiscard]] bool may_have(Use use) const;
    void begin_use(Use use);
    void end_use(Use use);
    [[nodiscard]] Waiting* next_waiting();
    [[nodiscard]] runtime::Task<void> run_kill(std::unique_ptr<PooledConnection> connection);
    [[nodiscard]] runtime::Task<void> run_roll_back(std::unique_ptr<PooledConnection> connection);
    [[nodiscard]] runtime::Task<void> run_finish(
        std::unique_ptr<PooledConnection> connection,
        core::Instant deadline
    );
    [[nodiscard]] mariadb::ServerLogin login() const;
    void close_old();
    void free_place(Use use);

    runtime::Reactor& reactor_;
    net::SharedReadBuffer& shared_;
    core::Log& log_;
    const DatabaseSettings& settings_;
    std::vector<std::unique_ptr<PooledConnection>> idle_;  // the one used last is the last one
    std::deque<Waiting*> waiting_;
    uint32_t open_ = 0;
    uint32_t writing_ = 0;  // of them: lent, or being opened, to write
    runtime::TaskGroup chores_;
};

}  // namespace trilith::sdk
