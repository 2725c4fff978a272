// The SQL router of this server: its listeners, a worker on every core, and the watch over the database
// servers on the control reactor.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/log.h"
#include "net/read_buffer.h"
#include "node/status/router_status.h"
#include "runtime/reactor.h"
#include "sql/config.h"
#include "sql/server_watch.h"
#include "sql/shared.h"
#include "sql/worker.h"

namespace node {

// What a router lives in.
struct SqlRouterWorld {
    runtime::Reactor& control;
    std::vector<runtime::Reactor*> cores;  // at least one
    core::Log& log;
    bool is_appointed = false;  // appoint() says who is primary
    // What an operator changed at the node of this name, before this process or before the node came.
    std::function<sql::NodeOverride(std::string_view name)> recall;
};

class SqlRouter final : private sql::WatchLink {
public:
    // Opens the listeners and reads the password of the router's account, so that what is wrong with them
    // shows before anything runs. Nothing is accepted before serve_core().
    [[nodiscard]] static core::Result<std::unique_ptr<SqlRouter>> open(
        sql::Config config,
        const SqlRouterWorld& world
    );
    ~SqlRouter() override;

    // A reload that can be committed.
    struct Staged {
        sql::Config config;
        sql::WatchConfig watch;
        std::vector<net::Address> slots;
    };

    // Reads the password again and finds a slot for each node. `config` may differ in all but `listen`.
    [[nodiscard]] core::Result<Staged> stage(sql::Config config) const;
    // Takes it over: sessions go on, and what runs on a node that is not there any more ends there. In force
    // on the cores when they have taken their messages, of the nodes within milliseconds.
    void commit(Staged staged);

    // Runs the worker of one core until drain() is over there.
    [[nodiscard]] [[clang::coro_wrapper]] runtime::Task<void> serve_core(size_t index) {
        return workers_[index]->serve();
    }
    // Watches the servers until the fiber is stopped.
    [[nodiscard]] [[clang::coro_wrapper]] runtime::Task<void> serve_watch() { return watch_->serve(); }
    // Of databases that are kept here: who is primary from now on. `then` is called on the control reactor
    // when every core goes by it.
    void appoint(const sql::Appointment& appointment, std::function<void()> then);
    // See sql::Worker.
    void drain(core::Instant deadline);

    // What an operator changed at the node of this place in the configuration, in place of what was before.
    // On the control reactor, or before anything runs.
    void set_override(size_t node, const sql::NodeOverride& override) {
        watch_->set_override(node, override);
    }
    // As the configuration has them, with what is known of each.
    [[nodiscard]] const std::vector<sql::Node>& nodes() const { return watch_->nodes(); }

    [[nodiscard]] const sql::Config& config() const { return config_; }
    [[nodiscard]] RouterStatus status() const;
    [[nodiscard]] const std::vector<net::Address>& listening() const { return listening_; }

private:
    SqlRouter(sql::Config config, const SqlRouterWorld& world);

    void on_failed_login() override;
    void on_tokens_outstanding() override;
    void on_node_failure(const net::Address& address) override;

    [[nodiscard]] core::Result<void> open_listener(const net::Address& address);
    [[nodiscard]] core::Result<void> open_unix_listener(const net::Address& address);
    void hand_over(net::Listener listener, size_t core);
    [[nodiscard]] core::Result<std::vector<net::Address>> assign_slots(sql::WatchConfig& watch) const;
    [[nodiscard]] bool is_empty(size_t slot) const;
    void publish(const std::shared_ptr<const sql::Routing>& routing);

    SqlRouterWorld world_;
    sql::Config config_;
    std::vector<net::Address> slots_;  // of Routing::nodes: whose each is, or was last
    sql::Shared shared_;
    std::unique_ptr<sql::ServerWatch> watch_;
    std::vector<std::unique_ptr<sql::Worker>> workers_;
    std::vector<net::Address> listening_;
    struct Appointed {
        size_t cores_left = 0;  // that do not go by it yet
        std::function<void()> then;
    };

    std::vector<std::unique_ptr<Appointed>> appointed_;  // not confirmed yet, oldest first
    std::vector<std::string> socket_files_;              // of unix listeners: removed at the end
};

}  // namespace node
