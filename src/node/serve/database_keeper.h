// The database cluster as one server of the site has a part in it: the agent of its own mariadbd, where it
// has the role, and what stands for leader; and the SQL router, which follows what the leader records.
#pragma once

#include <memory>
#include <string>

#include "cluster/agent.h"
#include "cluster/leader.h"
#include "core/log.h"
#include "node/config/config.h"
#include "node/status/status.h"
#include "runtime/reactor.h"
#include "runtime/task.h"

namespace node {

class SqlRouter;

struct DatabaseWorld {
    runtime::Reactor& reactor;
    core::Log& log;
    std::string shared;  // the directory of what the site's servers share
};

class DatabaseKeeper {
public:
    // `config` has a cluster. Reads the secrets. What the world refers to outlives the keeper.
    [[nodiscard]] static core::Result<std::unique_ptr<DatabaseKeeper>> open(
        const Config& config,
        const ServerConfig& server,
        const DatabaseWorld& world
    );
    ~DatabaseKeeper();

    // Keeps the server's mariadbd until request_stop(), and ends when that has ended. At once where the
    // server has not the role.
    [[nodiscard]] runtime::Task<void> serve_agent();
    // Stands for leader, and leads, until the fiber is stopped. At once where the server has not the role.
    [[nodiscard]] runtime::Task<void> serve_leader();
    // Tells the router what is recorded, and confirms what it goes by, until the fiber is stopped.
    [[nodiscard]] runtime::Task<void> serve_router(SqlRouter& router);

    void request_stop();
    // The same where this server's mariadbd is the recorded primary, and nobody uses it any more: it ends
    // when every replica has all that it wrote, within a bound. Nothing elsewhere. Whoever leads must have
    // stopped.
    [[nodiscard]] runtime::Task<void> end_primary();
    // Of a stop, begun or to come: mariadbd is killed.
    void hurry();

    // What the router logs in with, and what the site's program is given as DATABASE_URL.
    [[nodiscard]] std::string router_password_file() const;
    [[nodiscard]] std::string program_url() const;

    // See cluster::Leader; not_found where the server has not the role.
    [[nodiscard]] core::Result<uint64_t> begin(const cluster::Order& order);
    [[nodiscard]] core::Result<cluster::OrderPlan> plan(const cluster::Order& order) const;

    [[nodiscard]] DatabaseStatus status() const;

private:
    DatabaseKeeper(const Config& config, const ServerConfig& server, const DatabaseWorld& world);

    const Config config_;
    const ServerConfig server_;
    DatabaseWorld world_;
    cluster::Secrets secrets_;
    cluster::Store store_;
    std::unique_ptr<cluster::Agent> agent_;    // null: the server has not the role
    std::unique_ptr<cluster::Leader> leader_;  // the same
};

}  // namespace node
