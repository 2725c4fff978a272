#include "node/serve_command.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "core/log.h"
#include "node/config_file.h"
#include "node/config_names.h"
#include "node/control_routes.h"
#include "node/control_server.h"
#include "node/descriptor_limit.h"
#include "node/front_plan.h"
#include "node/log_writer.h"
#include "node/node.h"
#include "node/override_store.h"
#include "node/signals.h"
#include "node/site_paths.h"
#include "node/standard_error.h"
#include "runtime/cores.h"
#include "runtime/frame_pool.h"
#include "runtime/linux_os.h"
#include "runtime/task_group.h"

namespace node {

namespace {

constexpr int kFailed = 1;
constexpr int kWrongUse = 2;

void write_line(std::string_view line) {
    [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

int refuse(int status, const std::string& sentence) {
    write_line("trilith: " + sentence + "\n");
    return status;
}

// The server that this process is to be.
core::Result<std::string> choose_server(const Config& config, const std::string& wanted) {
    std::vector<std::string_view> names;
    for (const ServerConfig& server : config.servers) {
        names.push_back(server.name);
    }
    if (wanted.empty() && names.size() == 1) {
        return std::string(names.front());
    }
    if (wanted.empty()) {
        return core::fail(
            core::ErrorKind::invalid,
            "the file has several servers: say which with --server NAME"
        );
    }
    if (std::ranges::find(names, wanted) == names.end()) {
        std::string hint = suggestion(wanted, names, "servers of the file");
        return core::fail(core::ErrorKind::not_found, "no server is named \"" + wanted + "\"" + hint);
    }
    return wanted;
}

const ServerConfig& server_of(const Config& config, const std::string& name) {
    return *std::ranges::find(config.servers, name, &ServerConfig::name);
}

// What all fronts of a server share follows the first of them.
balancer::Config shared_settings(const std::vector<FrontPlan>& plans) {
    return plans.empty() ? balancer::Config{} : plans.front().balancer;
}

core::Result<std::vector<std::unique_ptr<runtime::Reactor>>> open_reactors(runtime::Os& os, size_t count) {
    std::vector<std::unique_ptr<runtime::Reactor>> reactors;
    for (size_t index = 0; index < count; ++index) {
        TRY(auto reactor, runtime::Reactor::open(os));
        reactors.push_back(std::move(reactor));
    }
    return reactors;
}

// The control socket, 0600. Whoever holds the server's lock may remove one that a dead process left.
core::Result<net::Listener> open_control_socket(runtime::Reactor& reactor, const std::string& path) {
    TRY(net::Address address, net::Address::of_unix_path(path));
    ::unlink(path.c_str());
    mode_t before = ::umask(0177);
    auto listener = net::Listener::open(reactor, address, {});
    ::umask(before);
    return listener;
}

runtime::Task<void> follow_signals(Node& node, Signals& signals) {
    for (;;) {
        auto signal = co_await signals.next();
        if (!signal) {
            co_return;
        }
        if (*signal == Signal::reload) {
            [[maybe_unused]] ReloadReply reply = node.reload();  // the node logs what became of it
        } else {
            node.shut_down();
        }
    }
}

// Everything of one serving process, in the order in which it is made.
struct Process {
    const ServeOptions& options;
    runtime::LinuxOs os{};
    StandardError standard_error{};
    core::Log log{
        [this] { return os.wall_time(); },
        [this](std::string_view line) { standard_error.write(line); },
    };
    std::string server{};
    SitePaths paths{};

    core::Result<int> run(Config config);
    runtime::Task<void> control(
        Node& node,
        ControlServer& control,
        ControlServer* admin,
        Signals& signals,
        runtime::Reactor& reactor
    );
};

runtime::Task<void> Process::control(
    Node& node,
    ControlServer& control,
    ControlServer* admin,
    Signals& signals,
    runtime::Reactor& reactor
) {
    runtime::TaskGroup services(reactor, 3);
    services.spawn(control.serve());
    services.spawn(follow_signals(node, signals));
    if (admin != nullptr) {
        services.spawn(admin->serve());
    }
    for (const net::Address& address : node.listening()) {
        log.info("node", "listening", {{"address", address.to_string()}});
    }
    if (admin != nullptr) {
        log.info("node", "admin listening", {{"address", admin->address().to_string()}});
    }
    log.info(
        "node",
        "serving",
        {{"server", server}, {"site", node.config().site}, {"control", paths.socket(server)}}
    );
    co_await node.serve_control();
    services.request_stop();
    co_await services.join();
}

core::Result<int> Process::run(Config config) {
    TRY(server, choose_server(config, options.server));
    std::vector<FrontPlan> plans = plan_fronts(config, server_of(config, server));
    TRY_VOID(check_access_logs(plans));
    balancer::Config shared = shared_settings(plans);
    uint32_t core_count = shared.threads == 0 ? runtime::Cores::available() : shared.threads;
    DescriptorNeed need{
        .config = config,
        .plans = plans,
        .connections = shared.limits.connections,
        .cores = core_count,
        .is_with_program = runs_app(server_of(config, server)),
    };
    TRY(uint32_t connections_max, ensure_descriptors(need, log));
    Environment environment = read_environment();
    TRY(paths, site_paths(options.directories, environment, config.site));
    TRY_VOID(check_socket_path(paths, server));
    if (runs_app(server_of(config, server))) {
        TRY_VOID(check_program_sockets(paths, server));
    }
    TRY_VOID(prepare_directories(paths, environment));
    TRY(LockedServer lock, lock_server(paths, server));
    TRY(OverrideStore overrides, OverrideStore::open(paths.overrides_file(server)));
    TRY(auto control_reactor, runtime::Reactor::open(os));
    TRY(auto reactors, open_reactors(os, core_count));
    for (const FrontPlan& plan : plans) {
        const balancer::AccessLogConfig& access = plan.balancer.access_log;
        TRY_VOID(LogWriter::check_writable(access.is_enabled ? access.file : ""));
    }
    TRY(auto access_log, LogWriter::start(os, log));
    NodeWorld
        world{*control_reactor, {}, log, *access_log, &overrides, connections_max, paths.programs_dir()};
    for (auto& reactor : reactors) {
        world.cores.push_back(reactor.get());
    }
    std::optional<net::Address> admin_address = config.admin_listen;
    TRY(auto node, Node::open(std::move(config), server, options.file, world));
    TRY(auto control_listener, open_control_socket(*control_reactor, paths.socket(server)));
    ControlServer control_server(
        *control_reactor,
        std::move(control_listener),
        [&](const ControlRequest& request) { return answer_control(*node, request); }
    );
    std::optional<ControlServer> admin;
    if (admin_address) {
        TRY(auto admin_listener, net::Listener::open(*control_reactor, *admin_address, {}));
        admin.emplace(*control_reactor, std::move(admin_listener), [&](const ControlRequest& request) {
            return answer_admin(*node, request);
        });
    }
    TRY(auto signals, Signals::install(*control_reactor));
    {
        runtime::Cores cores("core", reactors.size(), [&](size_t index) {
            reactors[index]->run(node->serve_core(index));
        });
        control_reactor->run(
            control(*node, control_server, admin ? &*admin : nullptr, *signals, *control_reactor)
        );
    }
    ::unlink(paths.socket(server).c_str());
    log.info("node", "stopped", {{"server", server}});
    return node->was_cut() ? kFailed : 0;
}

}  // namespace

int serve(const ServeOptions& options) {
    auto config = load_config(options.file);
    if (!config) {
        for (const ConfigError& error : config.error()) {
            write_line(error.to_string() + "\n");
        }
        return kWrongUse;
    }
    Process process{.options = options};
    auto status = process.run(*std::move(config));
    runtime::release_free_frames();
    if (status) {
        return *status;
    }
    // Before a server is chosen, the command line is at fault; after that, the world.
    return refuse(process.server.empty() ? kWrongUse : kFailed, status.error().context());
}

}  // namespace node
