#include "node/serve_command.h"

#include <sys/resource.h>
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

constexpr rlim_t kOtherDescriptors = 256;
// The socket, the channel and the pipes of an instance, and of the one that replaces it.
constexpr rlim_t kInstanceDescriptors = 12;

// A client of the SQL router, and its connections to the primary and to a replica.
constexpr rlim_t kRouterDescriptors = 3;

// What all fronts of a server share follows the first of them.
balancer::Config shared_settings(const std::vector<FrontPlan>& plans) {
    return plans.empty() ? balancer::Config{} : plans.front().balancer;
}

// What a server keeps open besides its clients and their backends.
struct OtherDescriptors {
    rlim_t needed = kOtherDescriptors;
    rlim_t kept_files = 0;  // of caches, which give them back when there are too few
};

OtherDescriptors other_descriptors(
    const Config& config,
    const std::vector<FrontPlan>& plans,
    bool has_program
) {
    uint32_t threads = shared_settings(plans).threads;
    rlim_t cores = threads == 0 ? runtime::Cores::available() : threads;
    OtherDescriptors count;
    if (config.database) {
        count.kept_files += rlim_t{config.database->limits.clients} * kRouterDescriptors;
    }
    for (const FrontPlan& plan : plans) {
        for (const HandlerPlan& handler : plan.handlers) {
            const auto* site = std::get_if<web::Config>(&handler);
            count.kept_files += site == nullptr ? 0 : site->cache.open_files_max * cores;
        }
    }
    if (has_program) {
        uint32_t instances = config.app->program.instances;
        count.needed += kInstanceDescriptors * (instances == 0 ? runtime::Cores::available() : instances);
    }
    return count;
}

// Raises the limits as far as needed and allowed: root may raise the hard one.
rlim_t raise_descriptors(rlim_t needed) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    rlimit wanted{.rlim_cur = needed, .rlim_max = std::max(limit.rlim_max, needed)};
    if (limit.rlim_cur >= needed || setrlimit(RLIMIT_NOFILE, &wanted) == 0) {
        return needed;
    }
    limit.rlim_cur = std::min(needed, limit.rlim_max);
    [[maybe_unused]] int status = setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

// Two descriptors a client (its own and a backend's), and some for all the rest. The default number of
// clients gives way to what the system allows; a number that was written is kept or refused. Returns the
// number of clients.
core::Result<uint32_t> ensure_descriptors(
    const balancer::LimitConfig& limits,
    const OtherDescriptors& others,
    core::Log& log
) {
    uint32_t connections = limits.connections;
    rlim_t needed = rlim_t{connections} * 2 + others.needed;
    rlim_t granted = raise_descriptors(needed + others.kept_files);
    if (granted >= needed) {
        return connections;
    }
    bool is_default = connections == balancer::LimitConfig{}.connections;
    if (is_default && granted > others.needed * 2) {
        connections = static_cast<uint32_t>((granted - others.needed) / 2);
        log.warn(
            "node",
            "fewer clients at a time than the default, because of the limit of file descriptors",
            {{"connections", std::to_string(connections)}, {"descriptors", std::to_string(granted)}}
        );
        return connections;
    }
    return core::fail(
        core::ErrorKind::exhausted,
        "too few file descriptors: balancer.limits.connections = " + std::to_string(connections) + " needs " +
            std::to_string(needed) + ", the hard limit is " + std::to_string(granted) +
            "; raise it (ulimit -Hn, LimitNOFILE=) or lower the key"
    );
}

core::Result<std::vector<std::unique_ptr<runtime::Reactor>>> open_reactors(
    runtime::Os& os,
    uint32_t threads
) {
    size_t count = threads == 0 ? runtime::Cores::available() : threads;
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
    OtherDescriptors others = other_descriptors(config, plans, runs_app(server_of(config, server)));
    TRY(uint32_t connections_max, ensure_descriptors(shared_settings(plans).limits, others, log));
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
    TRY(auto reactors, open_reactors(os, shared_settings(plans).threads));
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
