// Keeps the site's program running in N instances beside the server, and says which of them take requests.
//
// One slot an instance, "app-1", "app-2" …; each has a listening socket that stays open over crashes, so that
// connections wait instead of being refused. Everything runs on the control reactor.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/config.h"
#include "app/instance_state.h"
#include "core/log.h"
#include "core/result.h"
#include "net/address.h"
#include "runtime/account.h"
#include "runtime/descriptor.h"
#include "runtime/event.h"
#include "runtime/reactor.h"
#include "runtime/task.h"
#include "runtime/task_group.h"
#include "upstream/config.h"

namespace child {

class MemoryGroups;

}  // namespace child

namespace app {

class AllEnded;
class Instance;
struct InstanceWorld;
struct RollingRestart;

struct SupervisorOptions {
    std::string server;                    // its name, a part of the sockets' names
    std::string runtime_directory;         // exists and is ours alone: the unix sockets lie there
    std::string base_directory;            // of the configuration file: where the program runs by default
    net::Address host;                     // where TCP sockets and ports are opened; its own port is ignored
    size_t cores = 1;                      // what `instances = 0` means
    std::optional<runtime::Account> user;  // whom the program runs as; none: as who started us
    std::optional<runtime::Account> becomes;    // whom this process is to become before serve(); none: nobody
    std::string executable = "/proc/self/exe";  // what runs the verb exec-child
    core::Duration drain_within = 30s;  // how long a replaced instance may end its requests before it is
                                        // stopped
};

// What a supervisor asks of the process that it lives in. Called on the reactor's thread; arguments by value,
// so that a task may keep them.
class Surroundings {
public:
    virtual ~Surroundings() = default;

    // One health check: GET `path` at `address`, within `timeout`. Any 2xx or 3xx is good.
    [[nodiscard]] virtual runtime::Task<core::Result<void>> probe(
        net::Address address,
        std::string path,
        core::Duration timeout
    ) = 0;

    // The endpoints changed: these are all that take requests now, in the order of their slots.
    virtual void publish(std::vector<upstream::BackendConfig> endpoints) = 0;

    // Ends when no request runs any more at `address`, which is published no longer; at `deadline` at the
    // latest.
    [[nodiscard]] virtual runtime::Task<void> drained(net::Address address, core::Instant deadline) = 0;
};

struct InstanceStatus {
    std::string name;
    pid_t pid = 0;  // of the program; 0: it does not run
    InstanceState state = InstanceState::starting;
    core::Instant since;        // of the state
    uint64_t restarts = 0;      // after crashes, of this generation
    uint64_t generation = 1;    // grows with each rolling restart
    uint64_t memory_bytes = 0;  // of all its processes
    net::Address address;
    std::string last_end;  // how its last run ended, "killed by signal 9 (SIGKILL)"; empty: none has
};

class Supervisor {
public:
    // The references outlive the supervisor, and it outlives every task of its own.
    Supervisor(
        runtime::Reactor& reactor,
        core::Log& log,
        Config config,
        SupervisorOptions options,
        Surroundings& surroundings
    );
    ~Supervisor();
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    // Starts all instances and keeps them running until request_stop(), or until its fiber is stopped; then
    // publishes no endpoint, asks all to stop, kills what is there after [app] stop.within, and ends when
    // every process is gone. Run it on the thread that lives as long as the process: guards learn of the
    // death of the thread that started them. Once.
    [[nodiscard]] runtime::Task<void> serve();
    void request_stop();
    // Of a stop, begun or to come: the program gets its signal, and is killed without waiting for it to end.
    void hurry();

    // Replaces one instance after the other by a new one: starts it on a socket of its own, waits until it is
    // healthy, publishes it in the place of the old, lets the old end its requests, stops that. Gives a
    // sentence an instance. An error names the instance that did not become healthy, with its last lines; it
    // and those after it stay as they were. conflict: a restart runs already; cancelled: the server stops. A
    // restart goes on when the fiber that awaits it is stopped.
    [[nodiscard]] runtime::Task<core::Result<std::vector<std::string>>> restart();

    [[nodiscard]] std::vector<InstanceStatus> status() const;

    // Instances that are up now.
    [[nodiscard]] size_t healthy_count() const;

    [[nodiscard]] size_t instance_count() const;

private:
    void find_groups();
    Instance& add_instance(std::unique_ptr<Instance> added);
    runtime::Task<void> run_instance(Instance& instance);
    void remove(const Instance& instance);
    void note_change();
    [[nodiscard]] bool have_all_ended() const;
    [[nodiscard]] std::vector<upstream::BackendConfig> endpoints() const;
    runtime::Task<void> roll();
    runtime::Task<bool> await_first_state(const Instance& instance);
    runtime::Task<bool> await_joined(const Instance& instance);
    runtime::Task<core::Result<std::string>> replace(size_t slot);

    runtime::Reactor& reactor_;
    core::Log& log_;
    Config config_;
    SupervisorOptions options_;
    Surroundings& surroundings_;
    std::unique_ptr<child::MemoryGroups> groups_;  // null: none can be made
    runtime::Descriptor directory_;                // where the program runs, as it was at the start
    std::unique_ptr<InstanceWorld> world_;
    std::vector<std::unique_ptr<Instance>> instances_;  // all that have not ended
    std::vector<Instance*> slots_;                      // the one of each slot that takes requests
    std::vector<upstream::BackendConfig> published_;
    runtime::TaskGroup fibers_;          // one an instance; never stopped, each ends by itself
    runtime::TaskGroup rolling_fibers_;  // the rolling restart, if one runs
    runtime::Event stopping_;
    AllEnded* all_ended_ = nullptr;
    bool is_stopping_ = false;
    bool is_hurried_ = false;
    std::unique_ptr<RollingRestart> rolling_;
};

}  // namespace app
