// The SQL router of this server: its listeners, a worker on every core, and the watch over the database
// servers on the control reactor.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/log.h"
#include "net/read_buffer.h"
#include "node/router_status.h"
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

    [[nodiscard]] const sql::Config& config() const { return shared_.config; }
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
    void publish(const std::shared_ptr<const sql::Routing>& routing);

    SqlRouterWorld world_;
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
